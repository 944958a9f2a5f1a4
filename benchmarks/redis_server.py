"""A Redis server for the contenders that need one, where `redis-server` is installed."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

URL_VARIABLE: Final = "MODHOST_BENCH_REDIS_URL"
START_SECONDS: Final = 10


@contextmanager
def open_redis(folder: Path) -> Iterator[None]:
    """Start a server whose every command is on disk before its answer, and name it by a variable.

    The variable reaches the worker processes too. Without the program, or with the variable
    set already, nothing is started.
    """
    program = shutil.which("redis-server")
    if program is None or os.environ.get(URL_VARIABLE):
        yield
        return
    port = _free_port()
    durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    place = ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    server = subprocess.Popen([program, *durable, *place], stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_for(port)
        os.environ[URL_VARIABLE] = f"redis://127.0.0.1:{port}/0"
        yield
    finally:
        os.environ.pop(URL_VARIABLE, None)
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
