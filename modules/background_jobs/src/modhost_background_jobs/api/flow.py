"""The routes of queues, job types and limits."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from modhost.web import Body, Endpoints
from modhost_background_jobs.client.flow import MAX_REASON
from modhost_background_jobs.client.limit_changes import MAX_LIMIT, LimitChanges
from modhost_background_jobs.contracts import BackgroundJobs, InvalidFlow
from modhost_background_jobs.inspection.limits import LimitReader, LimitStatus
from modhost_background_jobs.inspection.queues import Queues, QueueStatus, UnknownJobType
from modhost_background_jobs.inspection.types.view import JobTypeDetail, TypeInspection
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS
from modhost_background_jobs.queue.limits import UnknownLimit


def map_flow(endpoints: Endpoints) -> None:
    """Map the routes; names may have slashes, which clients encode."""
    endpoints.map_error(InvalidFlow, 422)
    endpoints.map_error(UnknownJobType, 404)
    endpoints.map_error(UnknownLimit, 404)
    endpoints.get("/queues", list_queues, permission=VIEW_JOBS)
    endpoints.post("/queues/{name:path}/pause", pause_queue, permission=MANAGE_JOBS)
    endpoints.post("/queues/{name:path}/resume", resume_queue, permission=MANAGE_JOBS)
    endpoints.get("/types", list_types, permission=VIEW_JOBS)
    endpoints.get("/types/{job_type:path}", show_type, permission=VIEW_JOBS)
    endpoints.post("/types/{job_type:path}/pause", pause_type, permission=MANAGE_JOBS)
    endpoints.post("/types/{job_type:path}/resume", resume_type, permission=MANAGE_JOBS)
    endpoints.get("/limits", list_limits, permission=VIEW_JOBS)
    endpoints.put("/limits/{name:path}", set_limit, permission=MANAGE_JOBS)


class PauseRequest(BaseModel):
    """When the pause ends by itself, if it does, and what people are shown as its reason."""

    model_config = ConfigDict(extra="forbid")

    until: AwareDatetime | None = None
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class LimitRequest(BaseModel):
    """The number to set, or null for the default of the class."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(strict=True, ge=1, le=MAX_LIMIT)] | None


_PAUSE = PauseRequest()

QueueName: TypeAlias = Annotated[str, Field(examples=["default"])]
TypeName: TypeAlias = Annotated[str, Field(examples=["reports_example.GenerateReportJob"])]
LimitName: TypeAlias = Annotated[
    str, Field(examples=["reports_example.GenerateReportJob.concurrency.source"])
]


async def list_queues(queues: Queues) -> Sequence[QueueStatus]:
    """List the queues with what waits and runs; counts stop at 10,000 jobs of a type."""
    return await queues.queues()


async def pause_queue(
    name: QueueName, jobs: BackgroundJobs, queues: Queues, pause: Body[PauseRequest] = _PAUSE
) -> QueueStatus:
    """Start no job of a queue until it is resumed; running ones are left alone."""
    await jobs.pause_queue(name, until=pause.until, reason=pause.reason)
    return await queues.queue(name)


async def resume_queue(name: QueueName, jobs: BackgroundJobs, queues: Queues) -> QueueStatus:
    """End the pause of a queue; one that is not paused stays so."""
    await jobs.resume_queue(name)
    return await queues.queue(name)


async def list_types(queues: Queues) -> Sequence[QueueStatus]:
    """List the job types with what waits and runs; counts stop at 10,000 jobs of a queue."""
    return await queues.types()


async def show_type(job_type: TypeName, types: TypeInspection) -> JobTypeDetail:
    """Show a job type: figures of 1 h, 24 h and 7 days, versions, failures in groups."""
    return (await types.one(job_type, "week")).detail


async def pause_type(
    job_type: TypeName, jobs: BackgroundJobs, queues: Queues, pause: Body[PauseRequest] = _PAUSE
) -> QueueStatus:
    """Start no job of a type until it is resumed; running ones are left alone."""
    await queues.job_type(job_type)
    await jobs.pause_job_type(job_type, until=pause.until, reason=pause.reason)
    return await queues.job_type(job_type)


async def resume_type(job_type: TypeName, jobs: BackgroundJobs, queues: Queues) -> QueueStatus:
    """End the pause of a type; one that is not paused stays so."""
    before = await queues.job_type(job_type)
    await jobs.resume_job_type(job_type)
    return before.resumed()


async def list_limits(limits: LimitReader) -> Sequence[LimitStatus]:
    """List the limits with what runs within them and waits behind them."""
    return [each.status for each in await limits.all()]


async def set_limit(
    name: LimitName, limit: Body[LimitRequest], changes: LimitChanges, limits: LimitReader
) -> LimitStatus:
    """Set the number of a limit in all workers, or go back to the default by null."""
    await changes.set(name, limit.limit)
    return (await limits.find(name)).status
