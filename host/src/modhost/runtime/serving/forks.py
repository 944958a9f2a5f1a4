"""What processes that are forked from the host must not inherit."""

import os
import signal
import socket
import threading
from collections.abc import Sequence
from typing import Final

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_blocked = threading.local()


def isolate_forks(*sockets: socket.socket) -> None:
    """Give children forked from now on their own signals, and close these sockets in them.

    The wake-up descriptor of an event loop is shared with the parent: a child that gets SIGTERM
    would stop the host instead of itself. Programs that are executed need none of this.

    Args:
        sockets: connections of the host that a child must neither use nor keep open.

    """
    is_host = True

    def in_child() -> None:
        nonlocal is_host
        # What a child forks in turn inherits from the child.
        if is_host:
            is_host = False
            _become_ordinary(sockets)
        _unblock()

    os.register_at_fork(before=_block, after_in_parent=_unblock, after_in_child=in_child)


def _block() -> None:
    # A signal that reaches the child before its handlers are its own has to wait. Each call of
    # `isolate_forks` in this process, or in the one that forked it, blocks and unblocks once.
    masks = _blocked.__dict__.setdefault("masks", [])
    masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS))


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _blocked.masks.pop())


def _become_ordinary(sockets: Sequence[socket.socket]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # An event loop may hold on to a socket, and close its number later: that stays taken.
    nothing = os.open(os.devnull, os.O_RDWR)
    for each in sockets:
        if each.fileno() >= 0:
            os.dup2(nothing, each.fileno(), inheritable=False)
    os.close(nothing)
