"""The implementation of the contract for recurring jobs."""

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.audit import AuditLog, recorded
from modhost.audit.recording import Record
from modhost.caller import SYSTEM, current_caller
from modhost_background_jobs.client.call_flow import call_flow
from modhost_background_jobs.client.limits import (
    attempts,
    bounded,
    known_id,
    policy,
    schedule_name,
    timeout_seconds,
)
from modhost_background_jobs.contracts import (
    CatchUpPolicy,
    InvalidCronExpression,
    InvalidJobData,
    JobId,
    JobNotFound,
    ModuleJob,
    OverlapPolicy,
    RecurringDefinition,
    RecurringJobId,
    UnknownTimeZone,
)
from modhost_background_jobs.cron.schedule import CronSchedule
from modhost_background_jobs.model import JobTypes, ScheduleDefinition
from modhost_background_jobs.model.data.job_data import to_stored
from modhost_background_jobs.model.data.summaries import summary_of
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.firing import RecurringFiring
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges
from modhost_background_jobs.queue.schedules import RecurringSchedules

logger = logging.getLogger(__name__)

_KIND: Final = "recurring job"
_REFUSALS: Final = (JobNotFound, InvalidCronExpression, UnknownTimeZone)


class RecurringJobsService:
    """Implements `RecurringScheduling`, which describes each method."""

    def __init__(
        self,
        schedules: RecurringSchedules,
        changes: ScheduleChanges,
        firing: RecurringFiring,
        types: JobTypes,
        options: BackgroundJobsOptions,
        audit: AuditLog,
    ) -> None:
        self._schedules = schedules
        self._changes = changes
        self._firing = firing
        self._types = types
        self._options = options
        self._audit = audit

    async def add_recurring(
        self,
        job: type[ModuleJob],
        *,
        name: str,
        cron_expression: str,
        data: Any = None,
        time_zone: str = "UTC",
        overlap: OverlapPolicy = OverlapPolicy.SKIP,
        catch_up: CatchUpPolicy = CatchUpPolicy.ONE,
        max_attempts: int | None = None,
        timeout: timedelta | None = None,
        queue: str | None = None,
        priority: int | None = None,
        tags: Sequence[str] = (),
        session: AsyncSession | None = None,
    ) -> RecurringJobId:
        """Add or update a schedule by its name."""
        recurring = RecurringDefinition(
            job=job,
            name=name,
            cron_expression=cron_expression,
            data=data,
            time_zone=time_zone,
            overlap=overlap,
            catch_up=catch_up,
            max_attempts=max_attempts,
            timeout=timeout,
            queue=queue,
            priority=priority,
            tags=tags,
        )
        return await self._put(self._definition(recurring), session)

    async def set_recurring(
        self,
        module: str,
        recurring: Sequence[RecurringDefinition],
        *,
        session: AsyncSession | None = None,
    ) -> list[RecurringJobId]:
        """Put all schedules of a module, and delete its others."""
        definitions = [self._definition(each) for each in recurring]
        _refuse_others(module, definitions)
        ids = [await self._put(each, session) for each in definitions]
        for name in await self._changes.keep_only(module, ids, session):
            logger.info("The recurring job %r is not among those of %s: removed.", name, module)
        return ids

    async def enable_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> None:
        """Enable a schedule."""
        id_ = known_id(recurring_id, _KIND)
        async with self._recorded("enable", id_) as entry:
            await self._changes.enable(id_, session)
            await _done_in(session, entry)

    async def disable_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> None:
        """Disable a schedule."""
        id_ = known_id(recurring_id, _KIND)
        async with self._recorded("disable", id_) as entry:
            await self._changes.disable(id_, session)
            await _done_in(session, entry)

    async def toggle_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> bool:
        """Enable or disable a schedule."""
        id_ = known_id(recurring_id, _KIND)
        async with self._recorded("toggle", id_) as entry:
            is_enabled = await self._changes.toggle(id_, session)
            entry.detail = "enabled" if is_enabled else "disabled"
            await _done_in(session, entry)
        return is_enabled

    async def remove_recurring(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> None:
        """Delete a schedule."""
        id_ = known_id(recurring_id, _KIND)
        async with self._recorded("delete", id_) as entry:
            entry.detail = await self._changes.remove(id_, session)
            await _done_in(session, entry)

    async def run_recurring_now(
        self, recurring_id: RecurringJobId, *, session: AsyncSession | None = None
    ) -> JobId:
        """Enqueue a run of a schedule."""
        id_ = known_id(recurring_id, _KIND)
        async with self._recorded("run_now", id_) as entry:
            row = await self._schedules.get(id_, session)
            job_id = await self._firing.run_now(row, (await current_caller()).person, session)
            entry.detail = f"job:{job_id}"
            await _done_in(session, entry)
        return JobId(job_id)

    def _definition(self, recurring: RecurringDefinition) -> ScheduleDefinition:
        registered = self._types.of_class(recurring.job)
        flow = call_flow(registered, recurring.queue, recurring.priority, recurring.tags)
        stored = to_stored(recurring.data, recurring.job.data_model)
        schedule = CronSchedule.parse(recurring.cron_expression, recurring.time_zone)
        of_class = recurring.job.max_attempts
        return ScheduleDefinition(
            name=schedule_name(recurring.name),
            cron_expression=schedule.expression,
            time_zone=schedule.time_zone,
            job_type=registered.job_type,
            module_name=registered.module_name,
            module_version=registered.module_version,
            data=bounded(stored, self._options.max_data_size),
            overlap=policy(OverlapPolicy, recurring.overlap),
            catch_up=policy(CatchUpPolicy, recurring.catch_up),
            max_attempts=attempts(recurring.max_attempts, of_class, self._options.max_attempts),
            timeout_seconds=timeout_seconds(recurring.timeout, recurring.job.timeout),
            flow=flow.of(recurring.data, stored).to_stored(),
            summary=summary_of(recurring.job, recurring.data, stored),
        )

    async def _put(
        self, definition: ScheduleDefinition, session: AsyncSession | None
    ) -> RecurringJobId:
        caller = await current_caller()
        # In a transaction of its own a module records that it adds something once.
        is_of_start = caller.is_start and session is None
        recurring_id = await self._changes.put(definition, session, is_of_start=is_of_start)
        # Modules put theirs at every start, which is nobody's deed.
        if caller.kind != SYSTEM.kind:
            subject = f"schedule:{recurring_id}"
            detail = definition.name
            await self._audit.record("schedules.put", subject, detail=detail, session=session)
        return RecurringJobId(recurring_id)

    def _recorded(self, verb: str, recurring_id: UUID) -> AbstractAsyncContextManager[Record]:
        return recorded(self._audit, f"schedules.{verb}", f"schedule:{recurring_id}", *_REFUSALS)


async def _done_in(session: AsyncSession | None, entry: Record) -> None:
    """Record what was done in the transaction of the caller, if there is one."""
    if session is not None:
        await entry.done_in(session)


def _refuse_others(module: str, definitions: Sequence[ScheduleDefinition]) -> None:
    """Raise `InvalidJobData` for a name that is there twice, and for jobs of other modules."""
    if not isinstance(module, str) or not module.isidentifier():
        raise InvalidJobData(f"{ascii(module)[:40]} is not the name of a module.")
    for name, count in Counter(each.name for each in definitions).items():
        if count > 1:
            raise InvalidJobData(f"{count} recurring jobs are named {name!r}; name each its own.")
    for each in definitions:
        if each.module_name != module:
            msg = f"The recurring job {each.name!r} is of {each.job_type}, a job of the module "
            raise InvalidJobData(f"{msg}{each.module_name!r} and not of {module!r}.")
