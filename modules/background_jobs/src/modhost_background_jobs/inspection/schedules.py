"""Schedules as their pages show them: a line each, and one with its runs and changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from modhost.audit import AuditEntry, AuditReader, AuditSearch
from modhost_background_jobs.contracts import JobState, ModuleJob, RecurringJobId
from modhost_background_jobs.model import JobRow, JobTypes, ScheduleRow
from modhost_background_jobs.model.data.job_data import json_for_people
from modhost_background_jobs.model.schedule import ScheduleProblem
from modhost_background_jobs.queries.schedule_runs import (
    RunMark,
    RunStates,
    ScheduleRuns,
    mark_of,
)
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage import QueueClock

UPCOMING: Final = 5
MARKS: Final = 12
"""How many runs the strip of a schedule shows."""
RUNS: Final = 50
MIN_ID_DIGITS: Final = 6
CHANGES: Final = 20


class ScheduleState(StrEnum):
    """What a line says of a schedule; the first that holds, in this order."""

    UNREADABLE = "unreadable"
    DISABLED = "disabled"
    MISSED = "missed"
    FAILING = "failing"
    ENABLED = "enabled"


class ScheduleOrder(StrEnum):
    """What schedules are sorted by."""

    NAME = "name"
    NEXT = "next"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A schedule as its line shows it.

    Attributes:
        words: when it runs, in words; None for an expression that cannot be read.
        next_at: its next due time, in its own zone; None for one that does not fire.
        marks: its latest runs, the oldest first.
        late_since: the due time that should have fired.
        problem: what is wrong with what is stored of it.

    """

    row: ScheduleRow
    words: str | None
    next_at: datetime | None
    marks: Sequence[RunMark]
    late_since: datetime | None
    problem: ScheduleProblem | None

    @property
    def is_failing(self) -> bool:
        """Whether the last run that ended by itself has failed."""
        ends = (JobState.COMPLETED, JobState.FAILED)
        last = next((mark for mark in reversed(self.marks) if mark.state in ends), None)
        return last is not None and last.state is JobState.FAILED

    @property
    def is_missed(self) -> bool:
        """Whether a due time has passed without a run, now or the last time."""
        return self.late_since is not None or any(mark.is_missed for mark in self.marks[-1:])

    @property
    def state(self) -> ScheduleState:
        """What the line says."""
        if self.problem is not None and not self.problem.can_fire:
            return ScheduleState.UNREADABLE
        if not self.row.is_enabled:
            return ScheduleState.DISABLED
        if self.is_missed:
            return ScheduleState.MISSED
        return ScheduleState.FAILING if self.is_failing else ScheduleState.ENABLED

    def is_in(self, state: ScheduleState) -> bool:
        """Whether it belongs to the schedules of a state; one may belong to several."""
        return {
            ScheduleState.ENABLED: self.row.is_enabled,
            ScheduleState.DISABLED: not self.row.is_enabled,
            ScheduleState.MISSED: self.is_missed,
            ScheduleState.FAILING: self.is_failing,
        }.get(state, self.state is state)

    def has(self, words: str) -> bool:
        """Whether its id begins so, or all words occur in what people know it by."""
        row, asked = self.row, words.casefold().split()
        if len(asked) == 1 and len(words) >= MIN_ID_DIGITS and str(row.id).startswith(asked[0]):
            return True
        text = f"{row.name} {row.job_type} {row.cron_expression} {row.time_zone} {self.words or ''}"
        return all(word in text.casefold() for word in asked)


@dataclass(frozen=True, slots=True)
class ScheduleOutlook:
    """What the page of a schedule shows that changes by itself.

    Attributes:
        line: what its line shows.
        upcoming: its next due times, in its own zone.
        latest: its latest runs, the newest first.

    """

    line: ScheduleLine
    upcoming: Sequence[datetime]
    latest: Sequence[JobRow]

    @property
    def row(self) -> ScheduleRow:
        """Its row."""
        return self.line.row


@dataclass(frozen=True, slots=True)
class ScheduleView(ScheduleOutlook):
    """A schedule as its page shows it.

    Attributes:
        runs: the runs that are asked for, the newest first.
        older: before which run there may be more of these.
        data: the input of each run as people see it, secrets masked.
        changes: who changed it and when, the newest first.
        job_class: where the class of its jobs is; None if no module of this host has it.

    """

    runs: Sequence[JobRow]
    older: UUID | None
    data: str | None
    changes: Sequence[AuditEntry]
    job_class: str | None


class Schedules:
    """Reads schedules with their next due times, their latest runs and who changed them."""

    def __init__(
        self,
        schedules: RecurringSchedules,
        runs: ScheduleRuns,
        audit: AuditReader,
        types: JobTypes,
        clock: QueueClock,
    ) -> None:
        self._schedules = schedules
        self._runs = runs
        self._audit = audit
        self._types = types
        self._clock = clock

    async def all(self) -> list[ScheduleLine]:
        """Return all schedules by name, in two statements."""
        rows = await self._schedules.all()
        marks = await self._runs.marks(MARKS)
        now = self._clock.now()
        return [_line(row, marks.get(row.id, ()), now) for row in rows]

    async def outlook(self, recurring_id: RecurringJobId) -> ScheduleOutlook:
        """Return what changes by itself of a schedule, in two statements. Raises `JobNotFound`."""
        row = await self._schedules.get(recurring_id)
        return _outlook(row, (await self._runs.page(row.id, MARKS)).rows, self._clock.now())

    async def find(
        self,
        recurring_id: RecurringJobId,
        before: UUID | None = None,
        states: RunStates | None = None,
    ) -> ScheduleView:
        """Return one schedule. Raises `JobNotFound`.

        Args:
            recurring_id: which one.
            before: the run before which its runs are shown; None for the newest.
            states: which runs to show; None for all.

        """
        row = await self._schedules.get(recurring_id)
        newest = runs = await self._runs.page(row.id, RUNS)
        if before is not None or states is not None:
            runs = await self._runs.page(row.id, RUNS, before, states)
        outlook = _outlook(row, newest.rows[:MARKS], self._clock.now())
        registered = self._types.current(row.job_type)
        return ScheduleView(
            line=outlook.line,
            upcoming=outlook.upcoming,
            latest=outlook.latest,
            runs=runs.rows,
            older=runs.older,
            data=json_for_people(row.data),
            changes=await self._audit.newest(AuditSearch(subject=f"schedule:{row.id}"), CHANGES),
            job_class=None if registered is None else _place_of(registered.job_class),
        )


def _outlook(row: ScheduleRow, latest: Sequence[JobRow], now: datetime) -> ScheduleOutlook:
    line = _line(row, [mark_of(each) for each in reversed(latest)], now)
    return ScheduleOutlook(line, _upcoming(line, now), latest)


def _line(row: ScheduleRow, marks: Sequence[RunMark], now: datetime) -> ScheduleLine:
    problem, words, next_at = row.problem, None, None
    if problem is None or problem.can_fire:
        words = row.schedule.describe()
        if row.is_enabled and row.next_run_at is not None:
            next_at = row.next_run_at.astimezone(ZoneInfo(row.time_zone))
    return ScheduleLine(row, words, next_at, marks, row.late_since(now), problem)


def _upcoming(line: ScheduleLine, now: datetime) -> list[datetime]:
    if line.next_at is None:
        return []
    due = {line.next_at, *line.row.schedule.upcoming(now, UPCOMING)}
    return [at.astimezone(line.next_at.tzinfo) for at in sorted(due) if at > now][:UPCOMING]


def _place_of(job: type[ModuleJob]) -> str:
    return f"{job.__module__}.{job.__qualname__}"
