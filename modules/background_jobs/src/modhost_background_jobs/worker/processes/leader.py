"""The leader of a process group: lets jobs run in its child, and ends the group with the worker.

It runs no code of jobs, so that nothing keeps it from its duty. That code, and the programs that it
has started, are in its group.
"""

import os
import signal
import sys
from types import FrameType
from typing import Final, NoReturn

WORKER_ENDED: Final = signal.SIGUSR1


def lead(connection: int) -> None:
    """Go on in a child; this process stays behind to lead both, and ends as the child does.

    `connection` is the file that only the child is to have open.
    """
    worker = os.getppid()
    for each in (signal.SIGINT, signal.SIGTERM):
        # Not SIG_IGN, which the programs that a job starts would inherit.
        signal.signal(each, _ignore)
    awaited = {signal.SIGCHLD, WORKER_ENDED}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    _tell_death_of_parent_by(WORKER_ENDED)
    child = os.fork()
    if child:
        os.close(connection)
        _watch(child, worker, awaited)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    # Should somebody kill the leader alone.
    _tell_death_of_parent_by(signal.SIGKILL)


def _watch(child: int, worker: int, awaited: set[signal.Signals]) -> NoReturn:
    while os.getppid() == worker:
        if signal.sigwait(awaited) == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                _end_with(status)
    os.killpg(0, signal.SIGKILL)
    sys.exit()


def _end_with(status: int) -> NoReturn:
    """End as the child has ended, which is what the worker asks about."""
    if os.WIFSIGNALED(status):
        import resource

        # The child has left its picture, if any was wanted.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status))


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Leave it to the worker to say when to stop: a service manager signals whole groups."""


def _tell_death_of_parent_by(number: signal.Signals) -> None:
    """Let Linux send this signal, also while code of a job holds Python's lock."""
    if sys.platform == "linux":
        import ctypes

        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, number)
