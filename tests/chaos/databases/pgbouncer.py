"""PgBouncer in transaction mode, in front of a server."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from chaos.databases.server import ROLE, Server

START_SECONDS: Final = 10.0
SETTINGS: Final = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = *
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users.txt
admin_users = {role}
pool_mode = transaction
default_pool_size = 20
max_client_conn = 500
server_login_retry = 1
pidfile = {folder}/pgbouncer.pid
logfile = {folder}/pgbouncer.log
"""


class PgBouncer:
    """The pooler, which can be killed and started again."""

    def __init__(self, program: str, folder: Path, server: Server) -> None:
        self._program = program
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        folder.mkdir()
        folder.chmod(0o777)
        settings = {"folder": folder, "port": self.port, "server": server.port, "role": ROLE}
        (folder / "pgbouncer.ini").write_text(SETTINGS.format(**settings))
        (folder / "users.txt").write_text(f'"{ROLE}" ""\n')
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        # It refuses to run as root.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [self._program, "-q", *user, str(self._folder / "pgbouncer.ini")]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            if time.monotonic() > deadline or self._process.poll() is not None:
                msg = (self._folder / "pgbouncer.log").read_text()
                raise RuntimeError(msg)
            time.sleep(0.05)

    def stop(self, how: signal.Signals) -> None:
        """End it."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(30)


@contextmanager
def pgbouncer(folder: Path, server: Server) -> Iterator[PgBouncer]:
    """Run it for the block."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise SystemExit("There is no pgbouncer on this machine: install its package.")
    started = PgBouncer(program, folder, server)
    started.start()
    try:
        yield started
    finally:
        started.stop(signal.SIGKILL)
