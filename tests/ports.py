"""Ports for servers that cannot choose one themselves."""

import os
import socket
from collections.abc import Iterator
from itertools import cycle
from typing import Final

OWN: Final = 20
FIRST: Final = 12_000 + os.getpid() * OWN % 20_000
_ports: Final[Iterator[int]] = cycle(range(FIRST, FIRST + OWN, 2))


def free_port() -> int:
    """Return a port of 127.0.0.1 that stays free until a server takes it, like the one after it.

    Each process of the tests has its own, below those that the system gives to whoever connects.
    """
    while True:
        port = next(_ports)
        if _is_free(port) and _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
