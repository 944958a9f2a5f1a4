"""Jobs that enqueue others, and endpoints that begin with them."""

import logging
from typing import ClassVar

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import ANYONE, Module, ServiceCollection, hookimpl
from modhost.database import Database
from modhost.events import Event, Events
from modhost.web import Endpoints
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    Executor,
    JobExecutionContext,
    JobId,
    ModuleJob,
    Unique,
    add_module_job,
)


class LeafJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        logging.getLogger("traced").info("leaf")


class UrgentJob(LeafJob):
    queue: ClassVar[str] = "urgent"
    priority: ClassVar[int] = 5


class UniqueJob(LeafJob):
    unique: ClassVar[Unique | None] = Unique()


class BranchJob(ModuleJob):
    """Enqueues another in its first attempt, and fails once."""

    max_attempts: ClassVar[int | None] = 2

    def __init__(self, jobs: BackgroundJobs) -> None:
        self._jobs = jobs

    async def execute(self, context: JobExecutionContext) -> None:
        if context.attempt == 1:
            msg = "hush-hush"
            raise ValueError(msg)
        await self._jobs.enqueue(LeafJob)


class ElsewhereJob(BranchJob):
    executor: ClassVar[Executor] = "process"

    async def execute(self, context: JobExecutionContext) -> None:
        await self._jobs.enqueue(LeafJob)


class Felled(Event):
    pass


async def plant_again(event: Felled, jobs: BackgroundJobs) -> None:
    await jobs.enqueue(LeafJob)


async def fell(events: Events, database: Database) -> None:
    async with database.session() as session:
        await events.publish(Felled(), session=session)


async def begin(jobs: BackgroundJobs) -> JobId:
    return await jobs.enqueue(BranchJob)


async def begin_in_all_ways(jobs: BackgroundJobs, database: Database) -> list[JobId]:
    ids = [
        await jobs.enqueue(UrgentJob),
        await jobs.enqueue(UniqueJob),
        *await jobs.enqueue_many(LeafJob, [None, None]),
    ]
    async with database.session() as session:
        ids += await _in_session(jobs, session)
    async with jobs.workflow("traced") as workflow:
        first = workflow.add(LeafJob)
        ids += [first.job_id, workflow.add(UrgentJob, after=first).job_id]
    ids.append(await jobs.enqueue(LeafJob, after=first.job_id))
    return ids


async def _in_session(jobs: BackgroundJobs, session: AsyncSession) -> list[JobId]:
    return [await jobs.enqueue(LeafJob, session=session)]


class TracedModule(Module):
    name: ClassVar[str] = "traced"
    route_prefix: ClassVar[str] = "/api/traced"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    publishes: ClassVar[tuple[type[Event], ...]] = (Felled,)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for each in (LeafJob, UrgentJob, UniqueJob, BranchJob, ElsewhereJob):
            add_module_job(services, each)
        services.subscribe(Felled, plant_again)

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.post("/fell", fell, permission=ANYONE)
        endpoints.post("/{number}", begin, permission=ANYONE)
        endpoints.post("/", begin_in_all_ways, permission=ANYONE)
