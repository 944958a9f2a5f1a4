"""The pools of connections: how large they are, and how much of them is in use."""

from typing import Final, NamedTuple, cast

from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine

READERS: Final = 4
"""How many sessions read SQLite at the same time."""
SESSIONS: Final = 5
"""How many sessions with a server are kept."""
MORE_SESSIONS: Final = 10
"""How many more are opened while those are in use."""


class PoolUse(NamedTuple):
    """How many connections of a pool are in use, how many are idle, and how many there may be."""

    pool: str
    in_use: int
    idle: int
    most: int


def uses_of(writer: AsyncEngine, reader: AsyncEngine) -> list[PoolUse]:
    """Return the use of the pools of two engines, which may share one."""
    if writer.pool is reader.pool:
        return [_use("sessions", writer, SESSIONS + MORE_SESSIONS)]
    return [_use("writer", writer, 1), _use("readers", reader, READERS)]


def _use(name: str, engine: AsyncEngine, most: int) -> PoolUse:
    pool = cast("QueuePool", engine.pool)
    return PoolUse(name, pool.checkedout(), pool.checkedin(), most)
