"""What operators do to limits and pauses, and the record of it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, update

from modhost_background_jobs.model import LimitKey, NewJob
from modhost_background_jobs.storage.dialects import upsert
from modhost_background_jobs.storage.tables import LIMITS, PAUSES
from simulation.virtual_time import VirtualClock
from simulation.world import World


class Limit(NamedTuple):
    """A limit; one with a period, in seconds, is a rate."""

    most: int
    period: float | None = None


LIMIT_OF: Final = {
    "one": Limit(1),
    "two": Limit(2),
    "rate": Limit(3, 10.0),
    "slow": Limit(1, 4.0),
}
MAX_OF: Final = {"one": (1, 2), "two": (1, 2, 3), "rate": (2, 3, 5), "slow": (1, 2)}
"""What operators set."""


class Paused(NamedTuple):
    """A pause of a `queue` or a `type`, from a time until another one."""

    kind: str
    name: str
    since: float
    until: float


@dataclass
class Control:
    """What was asked for, as far as the database has taken it."""

    jobs: dict[UUID, NewJob] = field(default_factory=dict)
    """All jobs as they were to be enqueued."""
    set_at: list[tuple[float, str, int]] = field(default_factory=list)
    """When which limit was set to what."""
    pauses: list[Paused] = field(default_factory=list)

    def most(self, key: LimitKey, at: float) -> int:
        """Return the number of a limit that held at a time."""
        most = LIMIT_OF[key.limit].most
        for since, name, number in self.set_at:
            if name == key.limit and since <= at:
                most = number
        return most


class Operators:
    """Changes limits and pauses in the database."""

    def __init__(self, world: World, clock: VirtualClock, control: Control) -> None:
        self._database = world.database
        self._clock = clock
        self._control = control

    async def add_limits(self) -> None:
        """Store the limits, as a host does that starts."""
        rows = [
            {
                "name": name,
                "kind": "concurrency" if limit.period is None else "rate",
                "default_limit": limit.most,
                "period_seconds": limit.period,
            }
            for name, limit in LIMIT_OF.items()
        ]
        async with self._database.session() as session:
            await (await session.connection()).execute(insert(LIMITS), rows)

    async def set_limit(self, name: str, most: int) -> None:
        """Set the number of a limit."""
        changed = update(LIMITS).where(LIMITS.c.name == name).values(limit_override=most)
        async with self._database.session() as session:
            await (await session.connection()).execute(changed)
        self._control.set_at.append((self._clock.monotonic(), name, most))

    async def pause(self, kind: str, name: str, seconds: float | None) -> None:
        """Pause a queue or a type, forever or for some seconds."""
        now, at = self._clock.now(), self._clock.monotonic()
        until = None if seconds is None else now + timedelta(seconds=seconds)
        row = {"kind": kind, "name": name, "paused_at": now, "paused_until": until}
        async with self._database.session() as session:
            rows = [{**row, "reason": ""}]
            await upsert(await session.connection(), PAUSES, rows, ["kind", "name"])
        self._end(kind, name, at)
        ends = float("inf") if seconds is None else at + seconds
        self._control.pauses.append(Paused(kind, name, at, ends))

    async def resume(self, kind: str, name: str) -> None:
        """End a pause."""
        is_it = (PAUSES.c.kind == kind, PAUSES.c.name == name)
        async with self._database.session() as session:
            await (await session.connection()).execute(delete(PAUSES).where(*is_it))
        self._end(kind, name, self._clock.monotonic())

    def _end(self, kind: str, name: str, at: float) -> None:
        self._control.pauses = [
            each._replace(until=min(each.until, at)) if each[:2] == (kind, name) else each
            for each in self._control.pauses
        ]
