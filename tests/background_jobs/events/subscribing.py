"""Jobs that subscribed to events of the shop, and jobs that publish them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from sqlmodel.ext.asyncio.session import AsyncSession

from hosts import HostedJobs, host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost.database import Database
from modhost.events import Event, Events
from modhost_background_jobs.contracts import (
    Executor,
    JobDetail,
    JobExecutionContext,
    JobFilter,
    ModuleJob,
    Unique,
    add_event_job,
    add_module_job,
)
from runtime.events.shop import OrderPlaced, Seen, Shop, ShopEvent


class Confirm(ModuleJob[OrderPlaced]):
    async def execute(self, context: JobExecutionContext[OrderPlaced]) -> None:
        context.log(f"confirmed {context.data.order}")


class Bill(ModuleJob[ShopEvent]):
    """Reads each event of the shop as what all of them have."""

    unique: ClassVar[Unique | None] = Unique(per="order")

    async def execute(self, context: JobExecutionContext[ShopEvent]) -> None:
        context.log(f"billed {type(context.data).__name__} {context.data.order}")


class Place(ModuleJob[OrderPlaced]):
    """Publishes in a step; its first attempt fails in it, and its second one after it."""

    def __init__(self, events: Events) -> None:
        self.events = events

    async def execute(self, context: JobExecutionContext[OrderPlaced]) -> None:
        async def place(session: AsyncSession) -> None:
            await self.events.publish(context.data, session=session)
            if context.attempt == 1:
                raise ValueError

        await context.step("place", place, transactional=True)
        if context.attempt == 2:
            raise ValueError


class PlaceApart(ModuleJob[OrderPlaced]):
    """Publishes in a process of its own."""

    executor: ClassVar[Executor] = "process"

    def __init__(self, events: Events) -> None:
        self.events = events

    async def execute(self, context: JobExecutionContext[OrderPlaced]) -> None:
        await self.events.publish(context.data)


class Subscribing(Module):
    name: ClassVar[str] = "subscribing"
    requires: ClassVar[tuple[str, ...]] = ("shop", "background_jobs")

    def __init__(
        self, *durable: tuple[Any, Any], subscribed: Sequence[tuple[Any, Any]] = ()
    ) -> None:
        self.durable = durable
        self.subscribed = subscribed
        self.seen = Seen()

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_instance(Seen, self.seen)
        add_module_job(services, Place)
        for event, job in self.durable:
            add_event_job(services, event, job)
        for event, subscriber in self.subscribed:
            services.subscribe(event, subscriber)


class Apart(Module):
    """Has a job that publishes in its process, where a subscriber leaves a file."""

    name: ClassVar[str] = "apart"
    requires: ClassVar[tuple[str, ...]] = ("shop", "background_jobs")

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, PlaceApart)
        add_event_job(services, OrderPlaced, Confirm)
        services.subscribe(OrderPlaced, touch)


async def touch(event: OrderPlaced) -> None:
    Path(event.order).touch()


class Orders:
    """A host with the shop, and what tests ask of it."""

    def __init__(self, jobs: HostedJobs, events: Events, database: Database) -> None:
        self.jobs = jobs
        self.events = events
        self.database = database

    async def publish(self, event: Event, session: AsyncSession | None = None) -> None:
        await self.events.publish(event, session=session)

    async def all(self, job_type: str = "") -> list[JobDetail]:
        """Return the jobs that there are."""
        found = await self.jobs.querying.get_jobs(JobFilter(page_size=100))
        every = [await self.jobs.detail(each.id) for each in found.items]
        return [each for each in every if job_type in each.job_type]

    async def logged(self) -> list[str]:
        """Wait until all jobs have ended, and return what they logged."""
        ended = [await self.jobs.ends(each.id) for each in await self.all()]
        return sorted(line.message for each in ended for line in each.logs)


@asynccontextmanager
async def orders_with(
    database_url: str, *modules: Module, mode: str = "Consumer", **options: Any
) -> AsyncIterator[Orders]:
    """Run a host of the shop and these modules; the options are those of background jobs."""
    quick = {"worker_mode": mode, "retry_base_delay": "20ms", **options}
    async with host_with(database_url, Shop(), *modules, background_jobs=quick) as jobs:
        yield Orders(jobs, await jobs.service(Events), await jobs.service(Database))
