"""End all that a run of the tests has started once the run has ended, however it did.

What a run starts inherits a mark in its environment. A process apart waits for the end of the run
on a pipe, which even `kill -9` closes, and kills whoever still has the mark.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Final
from uuid import uuid4

MARK: Final = "TEST_RUN_OF_MODHOST"
MEMORY: Final = Path("/dev/shm")  # noqa: S108
MEMORY_BYTES: Final = 2 * 1024**3
SWEEPS: Final = 200
POLITE_SWEEPS: Final = 40
PAUSE_SECONDS: Final = 0.05
_PR_SET_PDEATHSIG: Final = 1


class Watch:
    """The process that waits for the end of this one."""

    def __init__(self) -> None:
        run = uuid4().hex
        command = [sys.executable, "-I", "-S", __file__, run]
        # A session of its own: neither Ctrl-C nor a signal to the group of the run ends it.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
        os.environ[MARK] = run
        if "MAKELEVEL" in os.environ and sys.platform == "linux":
            # A `make` that is killed would leave pytest to itself.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def end(self) -> None:
        """Have it kill what is left."""
        self._process.communicate()


def is_watched() -> bool:
    """Return whether the run that this process is part of has a watch."""
    return MARK in os.environ


def folder_name() -> str:
    """Return how the name of a folder begins that is to go with the run."""
    return f"modhost-{os.environ.get(MARK, '')}-"


def roomy_memory() -> Path | None:
    """Return where databases are quickest, if there is room; None for the usual place."""
    is_roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    return MEMORY if is_roomy else None


def _left(run: str) -> dict[int, str]:
    """Return the processes with the mark and all below them, with their names."""
    parents, names, left = {}, {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        # They come and go.
        with suppress(OSError):
            name, _, others = (folder / "stat").read_text().partition("(")[2].rpartition(") ")
            parents[int(folder.name)] = int(others.split()[1])
            names[int(folder.name)] = name
            if f"{MARK}={run}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                left.add(int(folder.name))
    while below := {each for each, parent in parents.items() if parent in left} - left:
        left |= below
    return {each: names[each] for each in left}


def _folders(run: str) -> Iterator[Path]:
    for place in {MEMORY, Path(gettempdir())}:
        yield from place.glob(f"modhost-{run}-*")


def _sweep(run: str) -> None:
    for number in range(SWEEPS):
        left = _left(run)
        if not left:
            break
        for process, name in left.items():
            # Asked to quit, PostgreSQL removes its shared memory.
            is_asked = name == "postgres" and number < POLITE_SWEEPS
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGQUIT if is_asked else signal.SIGKILL)
        time.sleep(PAUSE_SECONDS)
    for folder in _folders(run):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.read()
    _sweep(sys.argv[1])
