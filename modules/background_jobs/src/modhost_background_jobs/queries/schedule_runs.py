"""The runs of schedules: the latest of all of them by one statement, and those of one by pages."""

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import (
    ScalarSelect,
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    literal_column,
    select,
    union_all,
)

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.queries.rows import fetch_rows, select_rows
from modhost_background_jobs.storage.dialects import milliseconds_between
from modhost_background_jobs.storage.tables import FINISHED, JOBS, SCHEDULES

MAX_CHECKED: Final = 1_000
"""Runs in some states are found among so many of the newest."""
MISSED: Final = "missed:"
"""How the error of a run begins that no worker could fire."""

RunStates: TypeAlias = Literal["failed", "skipped"]
_ID_LENGTH: Final = 36
_STATES: Final = {state.value[:2]: state for state in JobState}


@dataclass(frozen=True, slots=True)
class RunMark:
    """A run as its mark shows it; `seconds` is how long it ran, None for one that has not."""

    state: JobState
    seconds: float | None
    is_missed: bool = False


class RunPage(NamedTuple):
    """Runs of a schedule, the newest first, and before which id there may be more."""

    rows: list[JobRow]
    older: UUID | None


def _marks(table: Table) -> ScalarSelect[Any]:
    """Select the latest runs of a schedule as one text, in no order: rows would take longer."""
    has_ended = table is FINISHED
    latest = (
        select(
            table.c.id,
            table.c.state,
            (
                milliseconds_between(table.c.started_at, table.c.completed_at)
                if has_ended
                else cast(literal_column("NULL"), Text)
            ).label("ran"),
            (table.c.error.like(f"{MISSED}%") if has_ended else false()).label("is_missed"),
        )
        .where(table.c.recurring_job_id == SCHEDULES.c.id)
        .order_by(table.c.id.desc())
        .limit(bindparam("count"))
        .correlate(SCHEDULES)
        .subquery()
    )
    run = (
        cast(latest.c.id, Text)
        + func.substr(latest.c.state, 1, 2)
        + case((latest.c.is_missed, literal("!")), else_=literal(""))
        + func.coalesce(latest.c.ran, literal(""))
    )
    return select(func.aggregate_strings(run, " ")).select_from(latest).scalar_subquery()


# Made once: a statement costs more to make than to run.
_LATEST: Final = select(SCHEDULES.c.id, _marks(JOBS).label("live"), _marks(FINISHED).label("ended"))


class ScheduleRuns:
    """Reads the runs of schedules, without their data."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def marks(self, count: int) -> dict[UUID, tuple[RunMark, ...]]:
        """Return the latest runs of each schedule, the oldest first."""
        async with self._database.reading() as session:
            found = await (await session.connection()).execute(_LATEST, {"count": count})
            return {
                each.id: tuple(
                    _mark(text)
                    for text in sorted(f"{each.live or ''} {each.ended or ''}".split())[-count:]
                )
                for each in found
            }

    async def page(
        self,
        schedule: UUID,
        limit: int,
        before: UUID | None = None,
        states: RunStates | None = None,
    ) -> RunPage:
        """Return runs of a schedule, the newest first.

        Args:
            schedule: whose runs.
            limit: how many at most.
            before: only runs that are older than this one; None by default.
            states: only the failed ones, or those that were skipped or missed, of the newest
                `MAX_CHECKED`; None for all.

        """
        parts = [_page_of(table, schedule, before, states, limit + 1) for table in (JOBS, FINISHED)]
        async with self._database.reading() as session:
            both = select(union_all(*parts).subquery())
            found = await fetch_rows(await session.connection(), both)
        found.sort(key=lambda row: row.id, reverse=True)
        rows = found[:limit]
        return RunPage(rows, rows[-1].id if len(found) > limit else None)


def _page_of(
    table: Table, schedule: UUID, before: UUID | None, states: RunStates | None, limit: int
) -> Select[Any]:
    runs = select_rows(table).where(table.c.recurring_job_id == schedule)
    if before is not None:
        runs = runs.where(table.c.id < before)
    if states is not None:
        newest = select(table.c.id).where(table.c.recurring_job_id == schedule)
        newest = newest.order_by(table.c.id.desc()).limit(MAX_CHECKED)
        of_newest = table.c.id.in_(select(newest.subquery().c.id))
        runs = runs.where(of_newest, table.c.state == states.capitalize())
    return select(runs.order_by(table.c.id.desc()).limit(limit).subquery())


def mark_of(row: JobRow) -> RunMark:
    """Return a run as its mark shows it."""
    return RunMark(row.state, row.ran, (row.error or "").startswith(MISSED))


def _mark(text: str) -> RunMark:
    rest = text[_ID_LENGTH:]
    ran = rest[2:].lstrip("!")
    return RunMark(_STATES[rest[:2]], int(ran) / 1000 if ran else None, rest[2:3] == "!")
