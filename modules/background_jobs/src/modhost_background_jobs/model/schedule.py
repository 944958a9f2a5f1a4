"""A schedule: what it is defined by, its row, and what is wrong with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import (
    BackgroundJobsError,
    CatchUpPolicy,
    InvalidCronExpression,
    OverlapPolicy,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.schedule import CronSchedule

LATE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDefinition:
    """What somebody defines a schedule by; `data` is JSON, None for none.

    The policies are texts, since a later version may have stored others. `flow` is the flow control
    of its runs as JSON, None for none, and `summary` what each of them is about.
    """

    name: str
    job_type: str
    module_name: str
    cron_expression: str
    time_zone: str
    data: str | None
    overlap: str
    catch_up: str
    max_attempts: int
    timeout_seconds: float | None
    module_version: str | None = None
    flow: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow(ScheduleDefinition):
    """A schedule as it is read.

    Attributes:
        last_run_at: when a run of it started last.
        last_due_at: the last of its due times that has passed, run or not.
        next_run_at: the next due time; kept while the schedule is disabled.
        forgotten_until: the last due time whose occurrence was deleted; no time up to it fires.
        is_of_start: whether a start of its module puts it, rather than somebody at run time; None
            where an earlier version has not stored that.
        left_out_since: since when the starts of its module have not put it.
        is_by_hand: whether a person created it, or edited it last.

    """

    id: UUID
    is_enabled: bool
    last_run_at: datetime | None
    last_due_at: datetime | None
    next_run_at: datetime | None
    forgotten_until: datetime | None
    is_of_start: bool | None
    left_out_since: datetime | None
    created_at: datetime
    is_by_hand: bool

    @property
    def is_of_code(self) -> bool:
        """Whether the start of its module puts it, and would undo what a person changes."""
        return bool(self.is_of_start) and self.left_out_since is None

    @property
    def schedule(self) -> CronSchedule:
        """When it is due. Raises `InvalidCronExpression` and `UnknownTimeZone`."""
        return CronSchedule.stored(self.cron_expression, self.time_zone)

    def check(self) -> None:
        """Raise what keeps it from firing on this machine, in this version."""
        CronSchedule.stored(self.cron_expression, self.time_zone)
        for what, value, known in (
            ("overlap", self.overlap, OverlapPolicy),
            ("catch_up", self.catch_up, CatchUpPolicy),
        ):
            if value not in list(known):
                msg = (
                    f"Its {what} is {value!r}, which this version does not have: upgrade this host."
                )
                raise UnknownPolicy(msg)

    @property
    def problem(self) -> "ScheduleProblem | None":
        """What is wrong with what was stored, for this version and this machine."""
        try:
            self.check()
        except (InvalidCronExpression, UnknownTimeZone, UnknownPolicy) as error:
            return ScheduleProblem(f"It cannot fire here. {error}", can_fire=False)
        try:
            CronSchedule.parse(self.cron_expression, self.time_zone)
        except (InvalidCronExpression, UnknownTimeZone) as error:
            text = f"It fires as it did, and would be refused today: change it in code. {error}"
            return ScheduleProblem(text, can_fire=True)
        return None

    def is_due(self, now: datetime) -> bool:
        """Whether it is to fire now."""
        return self.is_enabled and self.next_run_at is not None and self.next_run_at <= now

    def late_since(self, now: datetime) -> datetime | None:
        """Return the due time that should have fired more than a minute ago; None without one."""
        due_at = self.next_run_at if self.is_enabled else None
        return due_at if due_at is not None and due_at < now - LATE else None


@dataclass(frozen=True, slots=True)
class ScheduleProblem:
    """What is wrong with a stored schedule, with the remedy, and whether it fires all the same."""

    text: str
    can_fire: bool


class UnknownPolicy(BackgroundJobsError):
    """A policy that a later version has stored."""


class ScheduleConflict(BackgroundJobsError):
    """A change by hand of a schedule that code owns, or to a name that is taken."""

    @classmethod
    def of_name(cls, definition: ScheduleDefinition) -> "ScheduleConflict":
        """Return the conflict of a name that the module has already."""
        module = definition.module_name
        msg = f"The module {module} has a recurring job named {definition.name!r} already; "
        return cls(f"{msg}choose another name, or edit that one.")

    @classmethod
    def of_code(cls, row: ScheduleRow) -> "ScheduleConflict":
        """Return the conflict of a schedule that code owns."""
        msg = f"The start of the module {row.module_name} puts the recurring job {row.name!r}, and "
        return cls(f"{msg}would undo what you change here: change it in the code of that module.")


@dataclass(frozen=True, slots=True)
class DueSchedules:
    """What schedules ask for: those that are due, the next due time, and whether runs wait."""

    due: list[UUID]
    next_due: datetime | None
    has_waiting_runs: bool
