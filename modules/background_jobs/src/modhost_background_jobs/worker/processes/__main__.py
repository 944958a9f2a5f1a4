"""The process that runs attempts; a worker starts it, and talks to it over an inherited socket."""

import faulthandler
import json
import os
import signal
import socket
import struct
import sys
from types import FrameType


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Leave it to the worker to say when to stop: a service manager signals whole groups."""


def _die_with_parent() -> None:
    """Let Linux kill this process with its worker, also while code of a job holds Python's lock."""
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


def main() -> None:
    """Learn what to run, and run it."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    connection.set_inheritable(False)
    # A process that a job forks must neither speak for it nor keep the connection open.
    os.register_at_fork(after_in_child=connection.close)
    _die_with_parent()
    # A crash in native code tells where it was, in the worker's log.
    faulthandler.enable()
    for each in (signal.SIGINT, signal.SIGTERM):
        # Not SIG_IGN, which the programs that a job starts would inherit.
        signal.signal(each, _ignore)
    (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
    introduction = json.loads(connection.recv(length, socket.MSG_WAITALL))
    sys.path[:] = introduction["path"]

    from modhost_background_jobs.worker.processes.program import run_program

    run_program(connection, introduction["host"])


if __name__ == "__main__":
    main()
