"""The routes of workers."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias

from pydantic import Field

from modhost.web import Endpoints
from modhost_background_jobs.contracts import BackgroundJobs, WorkerNotFound
from modhost_background_jobs.inspection.workers.status import DepartedWorker, Workers, WorkerStatus
from modhost_background_jobs.permissions import MANAGE_JOBS, VIEW_JOBS

WorkerName: TypeAlias = Annotated[str, Field(examples=["vm-14613-bd2a7b"])]


def map_workers(endpoints: Endpoints) -> None:
    """Map the routes."""
    endpoints.map_error(WorkerNotFound, 404)
    endpoints.get("/workers", list_workers, permission=VIEW_JOBS)
    endpoints.get("/workers/departed", list_departed, permission=VIEW_JOBS)
    endpoints.post("/workers/{name}/quiet", quiet_worker, permission=MANAGE_JOBS)
    endpoints.post("/workers/{name}/resume", resume_worker, permission=MANAGE_JOBS)


async def list_workers(workers: Workers) -> Sequence[WorkerStatus]:
    """List the registered workers, the troubled ones first."""
    return await workers.registered()


async def list_departed(workers: Workers) -> Sequence[DepartedWorker]:
    """List the workers that left within a day, at most 500, the last one first."""
    return await workers.departed()


async def quiet_worker(name: WorkerName, jobs: BackgroundJobs, workers: Workers) -> WorkerStatus:
    """Have a worker claim no more jobs; it finishes those that it runs."""
    await jobs.quiet_worker(name)
    return await workers.find(name)


async def resume_worker(name: WorkerName, jobs: BackgroundJobs, workers: Workers) -> WorkerStatus:
    """Have a quiet worker claim jobs again; one that is not quiet stays so."""
    await jobs.resume_worker(name)
    return await workers.find(name)
