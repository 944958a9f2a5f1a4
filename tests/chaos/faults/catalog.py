"""All faults."""

from typing import Final

from chaos.databases.served import Served
from chaos.faults import locks, processes, server, versions
from chaos.faults.fault import Fault

FAULTS: Final = (*processes.FAULTS, *server.FAULTS, *locks.FAULTS, *versions.FAULTS)


def possible(served: Served) -> list[Fault]:
    """Return the faults that a database can have on this machine."""
    return [each for each in FAULTS if served.kind in each.kinds and each.is_possible(served)]
