"""Processes of `modhost`, forked from one that has imported everything: they start in no time.

That one is a fork server of Python, of which each process of pytest has its own.
"""

import ctypes
import gc
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib import invalidate_caches
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from tempfile import TemporaryDirectory

CLOCK_AHEAD = "TEST_CLOCK_AHEAD"
"""The variable with the seconds by which a process's clock is ahead of this machine's."""
NETWORK = "TEST_NETWORK"
"""The variable with the file of the network namespace of a process, if it has one of its own."""

IMPORTED = [
    "modhost.cli.main",
    "modhost.runtime.serving.server",
    "modhost.cli.serving",
    "modhost.database.migrations",
    "modhost.testing",
    "modhost_background_jobs.cli",
    "modhost_background_jobs.migrations",
    "modhost_background_jobs.module",
    "modhost_background_jobs.worker.processor",
    "modhost_background_jobs.storage.opening",
    "modhost_reports_example.module",
    "aiosqlite",
    "alembic.migration",
    "anyio._backends._asyncio",
    "asyncpg",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "uvicorn.lifespan.off",
    "uvicorn.lifespan.on",
    "uvloop",
]

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(IMPORTED)


def fork_modhost(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> ForkServerProcess:
    """Start `modhost` with these words and this environment, beside its log."""
    return _start(arguments, environment, log.parent, (Path(os.devnull), log, log))


def run_modhost(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    given: str = "",
    seconds: float = 100,
) -> "CompletedProcess[str]":
    """Run `modhost` in a folder to its end, and return what it has printed."""
    with TemporaryDirectory() as name:
        streams = (Path(name, "in"), Path(name, "out"), Path(name, "err"))
        streams[0].write_text(given)
        process = _start(arguments, environment, folder, streams)
        try:
            process.join(seconds)
            if process.exitcode is None:
                raise TimeoutExpired(list(arguments), seconds)
            printed = [each.read_text() if each.exists() else "" for each in streams[1:]]
            return CompletedProcess(list(arguments), process.exitcode, *printed)
        finally:
            process.kill()
            process.join()


def _start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    streams: tuple[Path, Path, Path],
) -> ForkServerProcess:
    given = (list(arguments), dict(environment), folder, streams)
    process = _forking.Process(target=_be_modhost, args=given)
    process.start()
    return process


def _be_modhost(
    arguments: list[str], environment: dict[str, str], folder: Path, streams: tuple[Path, ...]
) -> None:
    """Be as a shell would have started it: in a session of its own, with files for a terminal."""
    # As the command does, once it has imported what it needs.
    gc.freeze()
    os.setsid()
    os.chdir(folder)
    for descriptor, path in enumerate(streams):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    if network := environment.get(NETWORK):
        _enter_network(Path(network))
    # What forks here has put nothing in the place of the input.
    sys.stdin = os.fdopen(0, closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    invalidate_caches()
    _set_clock(timedelta(seconds=float(environment.get(CLOCK_AHEAD, "0"))))

    from modhost.cli.main import main

    main(arguments)


def _enter_network(path: Path) -> None:
    with path.open() as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), 0):
            raise OSError(ctypes.get_errno(), f"cannot enter the network {path}")


def _set_clock(ahead: timedelta) -> None:
    from modhost.clock import SystemClock

    if ahead:
        right = SystemClock.now

        def now(self: SystemClock) -> datetime:
            return right(self) + ahead

        SystemClock.now = now  # type: ignore[method-assign]
