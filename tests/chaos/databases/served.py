"""A database as the trial knows it, whichever it is."""

from dataclasses import dataclass
from typing import Literal

from chaos.databases.disk import Disk
from chaos.databases.networks import Network
from chaos.databases.pgbouncer import PgBouncer
from chaos.databases.server import Server

Kind = Literal["sqlite", "postgres", "pgbouncer"]


@dataclass
class Served:
    """A migrated database.

    Attributes:
        kind: which one.
        url: that of the processes.
        disk: what it lies on.
        server: PostgreSQL, if it is one.
        pooler: what stands in front of that.
        network: a network of its own, from which a worker reaches the server.

    """

    kind: Kind
    url: str
    disk: Disk
    server: Server | None = None
    pooler: PgBouncer | None = None
    network: Network | None = None
