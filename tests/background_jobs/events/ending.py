"""Jobs that end in every way, and modules that subscribed to their ends."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID

import anyio
from pydantic import BaseModel
from sqlmodel import select

from background_jobs.support import add_worker
from hosts import HostedJobs, host_with
from modhost import Clock, Module, ServiceCollection, hookimpl
from modhost.database import Database
from modhost.events import Event
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    add_event_job,
    add_module_job,
)
from modhost_background_jobs.contracts.events import JobCancelled, JobCompleted, JobEnded, JobFailed
from modhost_background_jobs.model import ClaimedJob
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.tables import Job
from runtime.events.shop import Seen

TYPE = "hearing.Work"


class Task(BaseModel):
    ends: Literal["completed", "failed", "after_retry", "in_transaction", "waits"] = "completed"


class Work(ModuleJob[Task]):
    def __init__(self, database: Database) -> None:
        self.database = database

    async def execute(self, context: JobExecutionContext[Task]) -> None:
        match context.data.ends:
            case "failed":
                raise PermanentJobError("no paper\nand no ink")
            case "after_retry" if context.attempt == 1:
                raise ValueError
            case "in_transaction":
                async with self.database.session() as session:
                    await context.finish_in(session)
            case "waits":
                await anyio.sleep_forever()


class OnCompleted(ModuleJob[JobCompleted]):
    async def execute(self, context: JobExecutionContext[JobCompleted]) -> None:
        context.log(f"completed {context.data.job_id}")


class OnFailed(ModuleJob[JobFailed]):
    async def execute(self, context: JobExecutionContext[JobFailed]) -> None:
        raise PermanentJobError(f"failed {context.data.job_id}")


class OnCancelled(ModuleJob[JobCancelled]):
    async def execute(self, context: JobExecutionContext[JobCancelled]) -> None:
        context.log(f"cancelled {context.data.job_id}")


ALL = (JobCompleted, OnCompleted), (JobFailed, OnFailed), (JobCancelled, OnCancelled)


async def hear(event: Event, seen: Seen) -> None:
    assert isinstance(event, JobEnded)
    seen.notes.append(f"{type(event).__name__} {event.job_id} {event.error}")


class Hearing(Module):
    """Subscribes to ends, by default durably to all of them."""

    name: ClassVar[str] = "hearing"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    def __init__(
        self,
        durable: Sequence[tuple[Any, Any]] = ALL,
        subscribed: Sequence[tuple[Any, Any]] = (),
    ) -> None:
        self.durable = durable
        self.subscribed = subscribed
        self.seen = Seen()

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_instance(Seen, self.seen)
        add_module_job(services, Work)
        for event, job in self.durable:
            add_event_job(services, event, job)
        for event, subscriber in self.subscribed:
            services.subscribe(event, subscriber)


class Heard(NamedTuple):
    """What a durable subscriber is given of an end."""

    subscriber: str
    job_id: UUID
    error: str | None = None


class Ends:
    """A host with such jobs, of which a worker named w1 runs none by itself."""

    def __init__(self, jobs: HostedJobs, database: Database, store: JobStore, clock: Clock) -> None:
        self.jobs = jobs
        self.database = database
        self.store = store
        self.now = clock.now

    async def enqueue(self, ends: str = "completed", **more: Any) -> UUID:
        return await self.jobs.scheduling.enqueue(Work, Task.model_validate({"ends": ends}), **more)

    async def claim(self) -> list[ClaimedJob]:
        return await self.store.claim("w1", [TYPE], 10, self.now())

    async def stored(self) -> list[dict[str, Any]]:
        """Return the data of the jobs of durable subscribers."""
        async with self.database.reading() as session:
            rows = (await session.exec(select(Job).order_by(Job.id))).all()  # type: ignore[arg-type]
        return [
            json.loads(row.data or "") | {"subscriber": row.job_type.removeprefix("hearing.")}
            for row in rows
            if row.job_type != TYPE
        ]

    async def heard(self) -> set[Heard]:
        found = [
            Heard(each["subscriber"], UUID(each["job_id"]), each["error"])
            for each in await self.stored()
        ]
        assert len(set(found)) == len(found)
        return set(found)


@asynccontextmanager
async def ends_of(
    database_url: str, module: Hearing, mode: str = "Producer", **options: Any
) -> AsyncIterator[Ends]:
    """Run a host with the module; the options are those of background jobs."""
    quick = {"worker_mode": mode, "retry_base_delay": "20ms", **options}
    async with host_with(database_url, module, background_jobs=quick) as jobs:
        store = await jobs.service(JobStore)
        if mode == "Producer":
            await add_worker(store)
        yield Ends(jobs, await jobs.service(Database), store, await jobs.service(Clock))
