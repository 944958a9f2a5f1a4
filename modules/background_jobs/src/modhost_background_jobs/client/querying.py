"""The implementation of the querying contract."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import TypeVar

from pydantic import ValidationError
from typing_extensions import TypeForm

from modhost.audit import AuditLog, recorded
from modhost_background_jobs.client.limits import as_uuid, known_id
from modhost_background_jobs.contracts import (
    JobAction,
    JobConflict,
    JobDetail,
    JobFilter,
    JobId,
    JobLogEntry,
    JobNotFound,
    JobState,
    JobStatus,
    JobStep,
    JobSummary,
    PagedResult,
    RecurringJob,
    ResultNotAvailable,
    WorkflowDetail,
    WorkflowFilter,
    WorkflowId,
    WorkflowJob,
    WorkflowJobFilter,
    WorkflowSummary,
)
from modhost_background_jobs.contracts.workflow_models import MAX_AFTER
from modhost_background_jobs.inspection.actions import JobActions
from modhost_background_jobs.inspection.job import JobInspection
from modhost_background_jobs.inspection.waiting import Waiting
from modhost_background_jobs.model import JobRow, ScheduleRow
from modhost_background_jobs.model.data.job_data import for_people
from modhost_background_jobs.model.data.job_result import read_result
from modhost_background_jobs.model.data.masking import without_secrets
from modhost_background_jobs.model.data.read_back import problems_in
from modhost_background_jobs.queries.details import JobDetailReader, JobDetails
from modhost_background_jobs.queries.ends import JobEnds
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.search import JobBrowser, Search
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.queries.workflows.nodes import NodeReader, NodeRow
from modhost_background_jobs.queries.workflows.summaries import WorkflowReader
from modhost_background_jobs.queue.job_queue import DatabaseJobQueue
from modhost_background_jobs.queue.schedules import RecurringSchedules

T = TypeVar("T")


class BackgroundJobsQueries:
    """Implements `BackgroundJobsContracts`, which describes each method."""

    def __init__(
        self,
        queue: DatabaseJobQueue,
        listing: JobListing,
        browser: JobBrowser,
        details: JobDetailReader,
        ends: JobEnds,
        inspection: JobInspection,
        schedules: RecurringSchedules,
        workflows: WorkflowReader,
        nodes: NodeReader,
        actions: JobActions,
        audit: AuditLog,
    ) -> None:
        self._queue = queue
        self._listing = listing
        self._browser = browser
        self._details = details
        self._ends = ends
        self._inspection = inspection
        self._schedules = schedules
        self._workflows = workflows
        self._nodes = nodes
        self._actions = actions
        self._audit = audit

    async def get_jobs(self, job_filter: JobFilter) -> PagedResult[JobSummary]:
        """Read a page of jobs."""
        limit, selection = job_filter.page_size, _selection(job_filter)
        if job_filter.after is None:
            offset = (job_filter.page - 1) * limit
            rows, total, older = await self._listing.page(selection, offset, limit)
        else:
            total = await self._listing.count(selection)
            search = Search(*astuple(selection))
            found = await self._browser.older(search, job_filter.after, limit)
            rows, older = found.rows, found.older
        return PagedResult[JobSummary](
            items=[JobSummary.model_validate(row) for row in rows],
            total_count=total,
            page=job_filter.page,
            page_size=job_filter.page_size,
            next=None if older is None else JobId(older),
        )

    async def get_job_detail(self, job_id: JobId) -> JobDetail | None:
        """Read a job with its log and attempts."""
        id_ = as_uuid(job_id)
        found = None if id_ is None else await self._details.find(id_, before=MAX_AFTER)
        if found is None:
            return None
        waiting = (await self._inspection.why_waiting([found]))[found.row.id]
        return _detail(found, waiting)

    async def get_job_actions(self, job_id: JobId) -> Sequence[JobAction]:
        """Read what people did to a job."""
        id_ = known_id(job_id)
        row = await self._listing.find(id_)
        if row is None:
            raise JobNotFound(id_)
        return (await self._actions.of([row]))[id_]

    async def get_result(self, job_id: JobId, model: TypeForm[T]) -> T:
        """Read the result of a job."""
        id_ = known_id(job_id)
        end = await self._ends.find(id_)
        if end is None:
            raise JobNotFound(id_)
        if end.state is not JobState.COMPLETED:
            raise ResultNotAvailable(id_, end.state, end.why_no_result)
        try:
            return read_result(end.result, model)
        except ValidationError as error:
            why = end.why_no_result
            if end.result is not None:
                named = getattr(model, "__name__", model)
                problems = without_secrets(problems_in(error, "result"), end.result)
                why = f"what it returned does not fit {named}: {problems}."
            raise ResultNotAvailable(id_, end.state, why) from None

    async def get_recurring_jobs(self) -> Sequence[RecurringJob]:
        """Read all schedules."""
        return [recurring_of(row) for row in await self._schedules.all()]

    async def get_recurring_count(self) -> int:
        """Count the schedules."""
        return await self._schedules.count()

    async def get_workflows(self, workflow_filter: WorkflowFilter) -> PagedResult[WorkflowSummary]:
        """Read a page of workflows."""
        limit, page = workflow_filter.page_size, workflow_filter.page
        found = await self._workflows.page(
            workflow_filter.state, limit, offset=(page - 1) * limit, before=workflow_filter.after
        )
        return PagedResult[WorkflowSummary](
            items=found.items,
            total_count=found.total,
            page=page,
            page_size=limit,
            next=None if found.older is None else JobId(found.older),
        )

    async def get_workflow_detail(
        self, workflow_id: WorkflowId, job_filter: WorkflowJobFilter | None = None
    ) -> WorkflowDetail | None:
        """Read a workflow with a page of its jobs."""
        id_ = as_uuid(workflow_id)
        summary = None if id_ is None else await self._workflows.find(id_)
        if summary is None:
            return None
        wanted = job_filter or WorkflowJobFilter()
        limit, states = wanted.page_size, _states(wanted.state)
        # One more than wanted: whether there are more.
        found = await self._nodes.page(
            summary.id,
            limit + 1,
            states=states,
            offset=(wanted.page - 1) * limit,
            added_after=wanted.after,
            max_before=MAX_AFTER,
        )
        nodes = PagedResult[WorkflowJob](
            items=[_node(each) for each in found[:limit]],
            total_count=_count(summary, states),
            page=wanted.page,
            page_size=limit,
            next=JobId(found[limit - 1].row.id) if len(found) > limit else None,
        )
        return WorkflowDetail(**summary.model_dump(), nodes=nodes)

    async def retry(self, job_id: JobId) -> JobStatus:
        """Queue a failed job again."""
        id_ = known_id(job_id)
        async with recorded(self._audit, "jobs.retry", f"job:{id_}", JobConflict, JobNotFound):
            await self._queue.retry(id_)
        row = await self._listing.find(id_)
        if row is None:
            raise JobNotFound(id_)
        return status_after(row, JobState.PENDING)


def _selection(job_filter: JobFilter) -> Selection:
    states = _states(job_filter.state)
    return Selection(states, job_filter.job_type, job_filter.queue, job_filter.tag)


def _states(given: JobState | tuple[JobState, ...] | None) -> tuple[JobState, ...]:
    return (given,) if isinstance(given, JobState) else tuple(sorted(set(given or ())))


def _count(workflow: WorkflowSummary, states: Sequence[JobState]) -> int:
    if not states:
        return workflow.total
    return sum(getattr(workflow, state.value.lower(), 0) for state in states)


def _node(found: NodeRow) -> WorkflowJob:
    of_row = {name: getattr(found.row, name) for name in JobSummary.model_fields}
    before = found.before
    return WorkflowJob(**of_row, after=before.ids, after_count=before.total, when=before.when)


def status_after(row: JobRow, decided: JobState) -> JobStatus:
    """Return the status that a decision led to; a worker may have changed the row since."""
    status = JobStatus.model_validate(row)
    if status.state is decided:
        return status
    return status.model_copy(update={"state": decided, "completed_at": None})


def _detail(found: JobDetails, waiting: Waiting | None) -> JobDetail:
    of_row = {name: getattr(found.row, name, None) for name in JobDetail.model_fields}
    logs = [JobLogEntry(timestamp=line.logged_at, message=line.message) for line in found.log]
    more = {
        "data": for_people(found.data),
        "result": for_people(found.result),
        "logs": logs,
        "attempts": found.attempts,
        "steps": [JobStep.model_validate(each) for each in found.steps],
        "waiting_for": waiting and waiting.sentence,
        "after": [each.id for each in found.neighbours.before],
        "when": found.condition and found.condition.when,
    }
    return JobDetail.model_validate(of_row | more)


def recurring_of(row: ScheduleRow) -> RecurringJob:
    """Return a schedule as modules and the API see it."""
    of_row = {name: getattr(row, name) for name in RecurringJob.model_fields}
    of_row["problem"] = row.problem and row.problem.text
    of_row["next_run_at"] = row.next_run_at if row.is_enabled else None
    return RecurringJob(**of_row)
