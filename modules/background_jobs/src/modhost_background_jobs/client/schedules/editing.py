"""Creating and editing recurring jobs by hand: those that no code owns."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from modhost.audit import AuditLog, recorded
from modhost_background_jobs.client.call_flow import call_flow
from modhost_background_jobs.client.limits import (
    attempts,
    bounded,
    schedule_name,
    timeout_seconds,
)
from modhost_background_jobs.client.run_again import read_edited
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    InvalidCronExpression,
    InvalidFlow,
    InvalidJobData,
    JobNotFound,
    OverlapPolicy,
    RecurringJobId,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.model import JobTypes, ScheduleDefinition
from modhost_background_jobs.model.data.job_data import for_people
from modhost_background_jobs.model.data.masking import without_secrets
from modhost_background_jobs.model.data.summaries import summary_of
from modhost_background_jobs.model.flow import flow_of
from modhost_background_jobs.model.schedule import ScheduleConflict
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules


class RecurringEdit(BaseModel):
    """What a person defines a recurring job by; `add_recurring` explains each.

    `job_type` is the stored name of a registered type, `data` the JSON of each run, and
    `timeout_seconds` how long one attempt may take.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=1000, examples=["nightly-report"])]
    job_type: Annotated[str, Field(max_length=500, examples=["reports_example.GenerateReportJob"])]
    cron_expression: Annotated[str, Field(max_length=1000, examples=["0 3 * * *"])]
    time_zone: Annotated[str, Field(max_length=200)] = "UTC"
    data: Any = Field(None, examples=[{"type": "monthly", "source": "seattle-weather"}])
    overlap: OverlapPolicy = OverlapPolicy.SKIP
    catch_up: CatchUpPolicy = CatchUpPolicy.ONE
    max_attempts: int | None = None
    timeout_seconds: float | None = None
    queue: str | None = None
    priority: int | None = None
    tags: list[str] = Field(default_factory=list)


class InvalidSchedule(InvalidJobData):
    """A value that no recurring job can have; `field` is which one."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class ScheduleEditing:
    """Creates and edits schedules for people, each change in the audit."""

    def __init__(
        self,
        schedules: RecurringSchedules,
        changes: ScheduleChanges,
        types: JobTypes,
        options: BackgroundJobsOptions,
        audit: AuditLog,
    ) -> None:
        self._schedules = schedules
        self._changes = changes
        self._types = types
        self._options = options
        self._audit = audit

    @property
    def types(self) -> tuple[str, ...]:
        """The job types that a schedule may have here, under their present names."""
        return tuple(
            name
            for name in self._types.of_workers
            if self._types.named(name).job_type == name and not self._types.named(name).is_alias
        )

    async def present(self, recurring_id: RecurringJobId) -> RecurringEdit:
        """Return what a schedule is defined by now, secrets masked. Raises `JobNotFound`."""
        row = await self._schedules.get(recurring_id)
        flow = flow_of(row.flow)
        edit = RecurringEdit(
            name=row.name,
            job_type=row.job_type,
            cron_expression=row.cron_expression,
            time_zone=row.time_zone,
            data=for_people(row.data),
            max_attempts=row.max_attempts,
            timeout_seconds=row.timeout_seconds,
            queue=flow.queue,
            priority=flow.priority,
            tags=list(flow.tags),
        )
        # A later version may have stored policies that this one does not have.
        return edit.model_copy(update={"overlap": row.overlap, "catch_up": row.catch_up})

    async def create(self, edit: RecurringEdit) -> RecurringJobId:
        """Create a schedule. Raises `InvalidSchedule` and, for a name that is taken, a conflict."""
        async with recorded(self._audit, "schedules.create", "", *_REFUSALS) as entry:
            created = await self._changes.create(self._definition(edit, None))
            entry.subject = f"schedule:{created}"
            entry.detail = _said(edit)
        return RecurringJobId(created)

    async def edit(self, recurring_id: RecurringJobId, edit: RecurringEdit) -> None:
        """Change a schedule, whose id and runs stay; a secret whose mask was left keeps its value.

        Raises `JobNotFound`, `InvalidSchedule`, and `ScheduleConflict` for one that code owns or a
        name that is taken.
        """
        subject = f"schedule:{recurring_id}"
        async with recorded(self._audit, "schedules.edit", subject, *_REFUSALS) as entry:
            await self._changes.edit(recurring_id, lambda row: self._definition(edit, row.data))
            entry.detail = _said(edit)

    def _definition(self, edit: RecurringEdit, before: str | None) -> ScheduleDefinition:
        if edit.job_type not in self.types:
            known = ", ".join(self.types)
            problem = f"No module of this host has the job type {edit.job_type!r}; there are "
            raise InvalidSchedule("job_type", f"{problem}{known or 'none'}.")
        registered = self._types.named(edit.job_type)
        job = registered.job_class
        with _as("name"):
            name = schedule_name(edit.name)
        schedule = schedule_of(edit.cron_expression, edit.time_zone)
        with _as("data"):
            text = "" if edit.data is None else json.dumps(edit.data, ensure_ascii=False)
            stored = bounded(read_edited(text, before, job.data_model), self._options.max_data_size)
        with _as("max_attempts"):
            most = attempts(edit.max_attempts, job.max_attempts, self._options.max_attempts)
        with _as("timeout_seconds"):
            given = edit.timeout_seconds
            asked = None if given is None else timedelta(seconds=given)
            timeout = timeout_seconds(asked, job.timeout)
        with _as("queue", stored):
            flow = call_flow(registered, edit.queue, edit.priority, edit.tags).of(None, stored)
        return ScheduleDefinition(
            name=name,
            cron_expression=schedule.expression,
            time_zone=schedule.time_zone,
            job_type=registered.job_type,
            module_name=registered.module_name,
            module_version=registered.module_version,
            data=stored,
            overlap=edit.overlap,
            catch_up=edit.catch_up,
            max_attempts=most,
            timeout_seconds=timeout,
            flow=flow.to_stored(),
            summary=summary_of(job, None, stored),
        )


_REFUSALS: Final = (JobNotFound, InvalidJobData, ScheduleConflict)


def schedule_of(cron_expression: str, time_zone: str) -> CronSchedule:
    """Return when a schedule is due. Raises `InvalidSchedule`."""
    with _as("cron_expression"):
        schedule = CronSchedule.parse(cron_expression)
    with _as("time_zone"):
        return CronSchedule.parse(schedule.expression, time_zone)


@contextmanager
def _as(field: str, stored: str | None = None) -> Iterator[None]:
    """Say of which field something is wrong, without the secrets of the stored data."""
    try:
        yield
    except (InvalidJobData, InvalidCronExpression, UnknownTimeZone, InvalidFlow) as error:
        raise InvalidSchedule(field, without_secrets(str(error), stored)) from error
    except OverflowError as error:
        raise InvalidSchedule(field, "It is too large.") from error


def _said(edit: RecurringEdit) -> str:
    return f"{edit.name}: {edit.cron_expression} {edit.time_zone}, {edit.job_type}"
