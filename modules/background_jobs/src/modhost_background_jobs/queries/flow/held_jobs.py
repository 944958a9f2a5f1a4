"""Which jobs limits hold back, and behind which keys: by an index, up to a bound."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, literal, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.model import LimitKey
from modhost_background_jobs.storage.tables import JOBS, LIMITS

MAX_JOBS: Final = 10_000
MAX_KEYS: Final = 1_000
_HELD: Final = JOBS.c.held_by
_BEGINNING: Final = LimitKey("", "").stored
"""What stored keys have after the name of the limit."""
_END: Final = chr(ord(_BEGINNING) + 1)


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key that jobs wait behind, and how many, up to `MAX_KEYS`."""

    key: str
    jobs: int


@dataclass(frozen=True, slots=True)
class HeldJobs:
    """What waits behind a limit, up to the bounds; `first` are some of the keys, in their order."""

    jobs: int = 0
    keys: int = 0
    first: tuple[HeldKey, ...] = ()


async def held_jobs(connection: AsyncConnection, first: int) -> dict[str, HeldJobs]:
    """Return what waits behind each limit that holds jobs back, with the first keys of each."""
    found = {}
    for name, jobs in (await connection.execute(_JOBS_BY_LIMIT)).all():
        if jobs:
            bounds = {"low": name + _BEGINNING, "high": name + _END}
            keys = await connection.execute(_KEY_COUNT, bounds | {"most": MAX_KEYS})
            some = await connection.execute(_FIRST_KEYS, bounds | {"most": first})
            named = tuple(HeldKey(LimitKey.of(stored).key, count) for stored, count in some)
            found[name] = HeldJobs(jobs, keys.scalar_one(), named)
    return found


async def held_counts(connection: AsyncConnection) -> dict[str, int]:
    """Return how many jobs each limit holds back, up to `MAX_JOBS`; one statement for all."""
    return {row.name: row[1] for row in await connection.execute(_JOBS_BY_LIMIT)}


def _bounded(jobs: Select[Any], most: int) -> Any:
    some = jobs.limit(literal_column(str(most))).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


_OF_LIMIT: Final = (
    select(JOBS.c.id)
    .where(LIMITS.c.name + literal(_BEGINNING) <= _HELD, LIMITS.c.name + literal(_END) > _HELD)
    .correlate(LIMITS)
)
_JOBS_BY_LIMIT: Final = select(LIMITS.c.name, _bounded(_OF_LIMIT, MAX_JOBS))

_SMALLEST: Final = select(func.min(_HELD).label("stored")).where(bindparam("high") > _HELD)
_FIRST: Final = select(
    _SMALLEST.where(bindparam("low") <= _HELD).scalar_subquery().label("stored"),
    literal_column("1").label("number"),
).cte("held", recursive=True)
_FOLLOWING: Final = _SMALLEST.where(_FIRST.c.stored < _HELD).correlate(_FIRST)
_KEYS: Final = _FIRST.union_all(
    select(_FOLLOWING.scalar_subquery(), _FIRST.c.number + 1).where(
        _FIRST.c.stored.is_not(None), _FIRST.c.number < bindparam("most")
    )
)
_IS_KEY: Final = _KEYS.c.stored.is_not(None)
_KEY_COUNT: Final = select(func.count()).select_from(_KEYS).where(_IS_KEY)
_OF_KEY: Final = select(JOBS.c.id).where(_KEYS.c.stored == _HELD).correlate(_KEYS)
_FIRST_KEYS: Final = select(_KEYS.c.stored, _bounded(_OF_KEY, MAX_KEYS)).where(_IS_KEY)
