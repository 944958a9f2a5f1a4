"""Limits as rows: the default that classes give, and what operators set in its place."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from sqlalchemy import select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.database import Database
from modhost_background_jobs.contracts import (
    BackgroundJobsError,
    Rate,
    RegisteredJob,
)
from modhost_background_jobs.contracts.flow import declared_limits, limit_name
from modhost_background_jobs.storage import QueueClock, Wakeups
from modhost_background_jobs.storage.dialects import notify, upsert
from modhost_background_jobs.storage.tables import LIMITS

_OF_CLASS: Final = ("name", "kind", "default_limit", "period_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitRow:
    """A limit; `limit_override` is what operators set, None while the default holds."""

    name: str
    kind: str
    default_limit: int
    period_seconds: float | None
    limit_override: int | None
    changed_by: str | None
    changed_at: datetime | None

    @property
    def limit(self) -> int:
        """The number that holds."""
        return self.default_limit if self.limit_override is None else self.limit_override


class UnknownLimit(BackgroundJobsError):
    """No class of any host has had a limit of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        near = get_close_matches(name, known, 1)
        remedy = f"Did you mean {near[0]!r}?" if near else "`modhost jobs limits list` shows all."
        super().__init__(f"There is no limit {ascii(name)[:100]}. {remedy}")


class Limits:
    """Registers and changes limits, and wakes the workers, who then follow them."""

    def __init__(
        self,
        database: Database,
        registered: tuple[RegisteredJob, ...],
        wakeups: Wakeups,
        clock: QueueClock,
    ) -> None:
        self._database = database
        self._registered = registered
        self._wakeups = wakeups
        self._clock = clock

    async def register(self) -> None:
        """Store the limits of classes where they have changed; what operators have set stays."""
        wanted = _limits_of(self._registered)
        if not wanted:
            return
        async with self._database.reading() as session:
            stored = {row.name: row for row in await _read(session)}
        changed = [each for each in wanted if not _is_stored(each, stored.get(each["name"]))]
        if changed:
            async with self._database.session() as session:
                connection = await session.connection()
                await upsert(connection, LIMITS, changed, ["name"])
                await notify(connection, "flow")
            self._wakeups.work.fire()

    async def all(self) -> list[LimitRow]:
        """Return all limits by name."""
        async with self._database.reading() as session:
            return await _read(session)

    async def lock(self, session: AsyncSession, name: str) -> LimitRow | None:
        """Lock a limit until the session ends, and return it; None for an unknown one."""
        statement = select(LIMITS).where(LIMITS.c.name == name).with_for_update()
        found = (await (await session.connection()).execute(statement)).mappings().first()
        return None if found is None else LimitRow(**found)

    async def override(
        self, session: AsyncSession, name: str, limit: int | None, changed_by: str
    ) -> None:
        """Set the number of a limit, or None for its default; `wake` comes after the commit."""
        changed = {
            "limit_override": limit,
            "changed_by": changed_by,
            "changed_at": self._clock.now(),
        }
        connection = await session.connection()
        await connection.execute(update(LIMITS).where(LIMITS.c.name == name).values(changed))
        await notify(connection, "flow")

    def wake(self) -> None:
        """Have the worker of this process read them; the commit wakes those of others."""
        self._wakeups.work.fire()


async def _read(session: AsyncSession) -> list[LimitRow]:
    found = await (await session.connection()).execute(select(LIMITS).order_by(LIMITS.c.name))
    return [LimitRow(**row) for row in found.mappings()]


def _limits_of(jobs: Iterable[RegisteredJob]) -> list[dict[str, Any]]:
    """Return a row for each limit of the classes, those of a name once."""
    rows: dict[str, dict[str, Any]] = {}
    for job in jobs:
        for limit in () if job.is_alias else declared_limits(job.job_class):
            name = limit_name(job.job_type, limit)
            period = limit.period.total_seconds() if isinstance(limit, Rate) else None
            kind = "rate" if isinstance(limit, Rate) else "concurrency"
            rows[name] = dict(zip(_OF_CLASS, (name, kind, limit.limit, period), strict=True))
    # In one order: hosts that start at the same time wait for each other, and do not deadlock.
    return [rows[name] for name in sorted(rows)]


def _is_stored(wanted: dict[str, Any], row: LimitRow | None) -> bool:
    return row is not None and all(getattr(row, name) == wanted[name] for name in _OF_CLASS)
