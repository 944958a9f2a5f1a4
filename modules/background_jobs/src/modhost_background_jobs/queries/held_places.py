"""Where jobs that a limit holds back stand: how their key is used, and how many are before them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow, Lane, LimitKey
from modhost_background_jobs.queries.partitions import Partition, in_state, values_of
from modhost_background_jobs.storage.tables import GRANTS, JOBS, LIMIT_KEYS, LIMITS, PLACE

MAX_COUNTED: Final = 10_000
_PARTS_PER_STATEMENT: Final = 50
_FOR_EVER: Final = timedelta(days=36_500).total_seconds()
_PLACE: Final[ColumnElement[Any]] = literal_column(PLACE, JOBS.c.execute_at.type)


@dataclass(frozen=True, slots=True)
class HeldPlace:
    """The place of a job among those that a key of a limit holds back.

    Attributes:
        key: the key.
        kind: `concurrency` or `rate`.
        limit: how many of the key run at a time, or start within the period.
        period: that of a rate.
        running: how many of the key run now.
        opens_at: when a rate allows the next start, as far as that is known.
        before: how many are held back before it, up to a bound.
        is_capped: whether there may be more.

    """

    key: LimitKey
    kind: str
    limit: int
    period: timedelta | None
    running: int
    opens_at: datetime | None
    before: int = 0
    is_capped: bool = False

    @property
    def turn_at(self) -> datetime | None:
        """When a rate allows its start at the earliest; None where that cannot be known."""
        if self.opens_at is None or self.period is None:
            return None
        return self.opens_at + self.before // max(1, self.limit) * self.period


class HeldPlaces:
    """Reads places, in two statements for up to 50 keys or so.

    Args:
        database: where the jobs are.
        max_counted: where the jobs before one are counted no further.

    """

    def __init__(self, database: Database, *, max_counted: int = MAX_COUNTED) -> None:
        self._database = database
        self._max_counted = max_counted

    async def of(self, rows: Collection[JobRow], aging: timedelta) -> dict[UUID, HeldPlace]:
        """Return the places of those of the jobs that a limit holds back.

        Args:
            rows: pending jobs.
            aging: how much longer a job waits to make up for a point of priority; 0 for never.

        """
        held = {row.id: row for row in rows if row.held_by is not None and row.lane is not None}
        if not held:
            return {}
        async with self._database.reading() as session:
            connection = await session.connection()
            keys = list(dict.fromkeys(str(row.held_by) for row in held.values()))
            used = await _in_parts(connection, [_use(*each) for each in enumerate(keys)])
            lanes: dict[str, set[str]] = defaultdict(set)
            for each in used:
                lanes[each.held_by].add(each.lane)
            counting = [
                _before(row, lane, aging, self._max_counted)
                for row in held.values()
                for lane in lanes[str(row.held_by)]
            ]
            counted = await _in_parts(connection, counting)
        before = Counter[UUID]()
        for each in counted:
            before[each.job_id] += each.jobs
        of_key = {each.held_by: _place(each) for each in used}
        return {
            id_: replace(
                of_key[row.held_by],
                before=min(before[id_], self._max_counted),
                is_capped=before[id_] > self._max_counted,
            )
            for id_, row in held.items()
            if row.held_by in of_key
        }


async def _in_parts(connection: AsyncConnection, parts: Sequence[Select[Any]]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(parts), _PARTS_PER_STATEMENT):
        some = [select(each.subquery()) for each in parts[start : start + _PARTS_PER_STATEMENT]]
        found += await connection.execute(union_all(*some))
    return found


def _use(number: int, stored: str) -> Select[Any]:
    """Select how a key is used, once for each lane with jobs that it holds back."""
    key = LimitKey.of(stored)
    # By jumps from lane to lane in the index of held jobs.
    lanes = values_of("lane", Partition(JOBS, [JOBS.c.held_by == stored]), f"lanes_{number}")
    is_key = (LIMIT_KEYS.c.limit_name == key.limit, LIMIT_KEYS.c.key == key.key)
    running = (
        select(func.count())
        .select_from(GRANTS.join(JOBS, GRANTS.c.job_id == JOBS.c.id))
        .where(GRANTS.c.limit_name == key.limit, GRANTS.c.key == key.key)
        .where(JOBS.c.fence == GRANTS.c.fence, in_state(JOBS, JobState.RUNNING))
    )
    use = select(
        literal(stored).label("held_by"),
        lanes.c.lane,
        LIMITS.c.kind,
        func.coalesce(LIMITS.c.limit_override, LIMITS.c.default_limit).label("limit"),
        LIMITS.c.period_seconds,
        running.scalar_subquery().label("running"),
        select(LIMIT_KEYS.c.opens_at).where(*is_key).scalar_subquery().label("opens_at"),
    ).where(LIMITS.c.name == key.limit)
    return use.select_from(LIMITS.join(lanes, lanes.c.lane.is_not(None)))


def _before(row: JobRow, lane: str, aging: timedelta, most: int) -> Select[Any]:
    """Select how many jobs of a lane the key of a job holds back before it, up to a bound."""
    other, place = _PLACE, row.place_at or row.execute_at
    if lane == row.lane:
        is_before = or_(other < place, and_(other == place, JOBS.c.id < row.id))
    else:
        points = Lane.of(lane).priority - row.priority
        seconds = points * (aging.total_seconds() or _FOR_EVER)
        is_before = other < place + timedelta(seconds=max(-_FOR_EVER, min(_FOR_EVER, seconds)))
    same_key = (JOBS.c.held_by == row.held_by, JOBS.c.lane == lane)
    some = select(JOBS.c.id).where(*same_key, is_before).limit(most + 1).subquery()
    return select(
        literal(row.id, JOBS.c.id.type).label("job_id"), func.count().label("jobs")
    ).select_from(some)


def _place(use: Any) -> HeldPlace:
    seconds = use.period_seconds
    return HeldPlace(
        key=LimitKey.of(use.held_by),
        kind=use.kind,
        limit=use.limit,
        period=None if seconds is None else timedelta(seconds=seconds),
        running=use.running,
        opens_at=use.opens_at,
    )
