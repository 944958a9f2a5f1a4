"""A schedule: what it is defined by, and its row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import CatchUpPolicy, OverlapPolicy

LATE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDefinition:
    """What somebody defines a schedule by; `data` is JSON, None for none."""

    name: str
    job_type: str
    module_name: str
    cron_expression: str
    time_zone: str
    data: str | None
    overlap: OverlapPolicy
    catch_up: CatchUpPolicy
    max_attempts: int
    timeout_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRow(ScheduleDefinition):
    """A schedule as it is read.

    Attributes:
        last_run_at: when a run of it started last.
        last_due_at: the last of its due times that has passed, run or not.
        next_run_at: the next due time; kept while the schedule is disabled.
        forgotten_until: the last due time whose occurrence was deleted; no time up to it fires.

    """

    id: UUID
    is_enabled: bool
    last_run_at: datetime | None
    last_due_at: datetime | None
    next_run_at: datetime | None
    forgotten_until: datetime | None
    created_at: datetime

    def late_since(self, now: datetime) -> datetime | None:
        """Return the due time that should have fired more than a minute ago; None without one."""
        due_at = self.next_run_at if self.is_enabled else None
        return due_at if due_at is not None and due_at < now - LATE else None


@dataclass(frozen=True, slots=True)
class DueSchedules:
    """What schedules ask for: those that are due, the next due time, and whether runs wait."""

    due: list[UUID]
    next_due: datetime | None
    has_waiting_runs: bool
