"""The process that runs attempts, and the leader of its process group.

A worker starts it and talks to it over an inherited socket. The leader runs no code of jobs, so
that nothing keeps it from ending the group with the worker; its child runs that code, and the
programs that it starts are in the group as well.
"""

import faulthandler
import gc
import json
import os
import signal
import socket
import struct
import sys
from types import FrameType
from typing import Final, NoReturn

WORKER_ENDED: Final = signal.SIGUSR1


def main() -> None:
    """Receive what to run, and run it."""
    number = int(sys.argv[1])
    _lead(number)
    connection = socket.socket(fileno=number)
    connection.set_inheritable(False)
    # A crash in native code leaves its traceback in the worker's log.
    faulthandler.enable()
    (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
    introduction = json.loads(connection.recv(length, socket.MSG_WAITALL))
    sys.path[:] = introduction["path"]
    # Until the host is built: what is imported stays, and collecting garbage among it takes long.
    gc.disable()

    from modhost_background_jobs.worker.processes.program import run_program

    run_program(connection, introduction["host"])


def _lead(connection: int) -> None:
    """Go on in a child; this process stays behind to lead the group, and exits as the child does.

    `connection` is the file that only the child is to have open.
    """
    worker = os.getppid()
    for each in (signal.SIGINT, signal.SIGTERM):
        # Not SIG_IGN, which the programs that a job starts would inherit.
        signal.signal(each, _ignore)
    awaited = {signal.SIGCHLD, WORKER_ENDED}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    _signal_death_of_parent(WORKER_ENDED)
    child = os.fork()
    if child:
        os.close(connection)
        _watch(child, worker, awaited)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    # Should somebody kill the leader alone.
    _signal_death_of_parent(signal.SIGKILL)


def _watch(child: int, worker: int, awaited: set[signal.Signals]) -> NoReturn:
    while os.getppid() == worker:
        if signal.sigwait(awaited) == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                _exit_with(status)
    os.killpg(0, signal.SIGKILL)
    sys.exit()


def _exit_with(status: int) -> NoReturn:
    """Exit as the child has, which is what the worker asks about."""
    if os.WIFSIGNALED(status):
        import resource

        # The child has left its core dump, if one was wanted.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Leave it to the worker to say when to stop: a service manager signals whole groups."""


def _signal_death_of_parent(number: signal.Signals) -> None:
    """Let Linux send this signal, also while code of a job holds Python's lock."""
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, number)


if __name__ == "__main__":
    main()
