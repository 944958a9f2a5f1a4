"""Jobs for a store, workers to claim them, and the database of both."""

from datetime import datetime, timedelta
from uuid import UUID

from modhost import Clock, new_id
from modhost.database import Database
from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, RegisteredJob
from modhost_background_jobs.model import ClaimedJob, Heartbeat, JobTypes, NewJob, WorkerInfo
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, Turns, open_lane_store, open_store
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.claiming.lanes import Lanes
from moving_clock import START

TYPES = ("tests.Job", "tests.Other")


class Job(ModuleJob):
    """The jobs of both types, which no test of a store or of a claim runs."""

    async def execute(self, context: JobExecutionContext) -> None:
        pass


JOB_TYPES = JobTypes([RegisteredJob(name, "tests", Job, runs_in_thread=False) for name in TYPES])


def lanes_of(
    database: Database, clock: Clock, options: BackgroundJobsOptions | None = None
) -> Lanes:
    """What a worker of both types knows of lanes."""
    return Lanes(
        JOB_TYPES,
        open_lane_store(database, clock),
        Turns(database),
        options or BackgroundJobsOptions(),
        clock,
        open_store(database),
    )


def attempt_of(claimed: ClaimedJob) -> Attempt:
    return Attempt(claimed, JOB_TYPES.named(claimed.job_type), "task")


def new_job(
    *,
    job_type: str = "tests.Job",
    due: float = 0,
    data: str | None = None,
    max_attempts: int = 3,
    recurring: UUID | None = None,
) -> NewJob:
    """A job that falls due so many seconds after the start."""
    return NewJob(
        id=new_id(),
        job_type=job_type,
        module_name="tests",
        data=data,
        created_at=START,
        execute_at=START + timedelta(seconds=due),
        max_attempts=max_attempts,
        recurring_job_id=recurring,
    )


def jobs_database(url: str, *, shutdown_timeout: float = 5.0) -> Database:
    """The database of jobs at a URL, which is migrated already."""
    return Database(url, shutdown_timeout=shutdown_timeout)


async def add_worker(store: JobStore, name: str = "w1") -> None:
    worker = WorkerInfo(
        name=name,
        host="here",
        process=1,
        version="1",
        max_concurrency=10,
        job_types=TYPES,
    )
    await store.register(worker, START)


async def claim(
    store: JobStore, worker: str = "w1", limit: int = 10, now: datetime = START
) -> list[ClaimedJob]:
    return await store.claim(worker, TYPES, limit, now)


async def claim_one(store: JobStore, worker: str = "w1", now: datetime = START) -> ClaimedJob:
    (claimed,) = await claim(store, worker, 1, now)
    return claimed


async def seen(store: JobStore, worker: str = "w1") -> Heartbeat:
    """The heartbeat of a worker as a sweeper sees it now."""
    (found,) = [each for each in await store.heartbeats() if each.worker == worker]
    return found
