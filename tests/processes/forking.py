"""Processes of `modhost`, forked from one that has imported everything: they start in no time.

That one is a fork server of Python, of which each process of pytest has its own.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib import invalidate_caches
from multiprocessing.context import ForkServerProcess
from pathlib import Path

CLOCK_AHEAD = "TEST_CLOCK_AHEAD"
"""The variable with the seconds by which a process's clock is ahead of this machine's."""

IMPORTED = [
    "modhost.cli.main",
    "modhost.runtime.serving.server",
    "modhost.cli.serving",
    "modhost.database.migrations",
    "modhost.testing",
    "modhost_background_jobs.module",
    "modhost_background_jobs.worker.processor",
    "modhost_background_jobs.storage.opening",
    "aiosqlite",
    "asyncpg",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "uvicorn.protocols.http.auto",
    "uvicorn.lifespan.on",
]

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(IMPORTED)


def fork_modhost(
    arguments: Sequence[str], environment: Mapping[str, str], log: Path
) -> ForkServerProcess:
    """Start `modhost` with these words and this environment, beside its log."""
    process = _forking.Process(target=_be_modhost, args=(arguments, dict(environment), log))
    process.start()
    return process


def _be_modhost(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """Be as a shell would have started it: in a session of its own, with a log for a terminal."""
    os.setsid()
    os.chdir(log.parent)
    for descriptor, path in ((0, Path(os.devnull)), (1, log), (2, log)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment.get("PYTHONPATH", "").split(os.pathsep)
    invalidate_caches()
    _set_clock(timedelta(seconds=float(environment.get(CLOCK_AHEAD, "0"))))

    from modhost.cli.main import main

    main(arguments)


def _set_clock(ahead: timedelta) -> None:
    from modhost.clock import SystemClock

    if ahead:
        right = SystemClock.now

        def now(self: SystemClock) -> datetime:
            return right(self) + ahead

        SystemClock.now = now  # type: ignore[method-assign]
