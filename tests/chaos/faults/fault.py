"""A fault: what is done to a deployment, for some time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from chaos.databases.served import Kind, Served
from chaos.scene import Scene

ALL: Final[tuple[Kind, ...]] = ("sqlite", "postgres", "pgbouncer")
SERVERS: Final[tuple[Kind, ...]] = ("postgres", "pgbouncer")


def always(served: Served) -> bool:
    """Return that a fault needs nothing."""
    return True


def has_disk(served: Served) -> bool:
    """Return whether the database has a small disk of its own."""
    return served.disk.is_own


def has_network(served: Served) -> bool:
    """Return whether a worker has a network of its own."""
    return served.network is not None


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: as the table of a trial has it.
        inject: does it, and undoes it before it returns.
        kinds: the databases that it is for.
        is_possible: whether this machine lets us.

    """

    name: str
    inject: Callable[[Scene], Awaitable[None]]
    kinds: tuple[Kind, ...] = ALL
    is_possible: Callable[[Served], bool] = always
