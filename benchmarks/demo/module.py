"""The module of the shop: its jobs, its schedules, and customers who keep ordering."""

import random
from collections.abc import Sequence
from typing import ClassVar, Final

import anyio
from anyio.abc import TaskStatus

from benchmarks.demo.jobs import JOBS, ShopJob
from benchmarks.demo.schedules import definitions
from benchmarks.demo.shop import FINISHED, LENGTH, MODULE, MODULE_VERSION, SHARES, Story, tide
from modhost import Clock, HostedService, HostInfo, Module, Scope, hookimpl
from modhost.services import ServiceCollection
from modhost_background_jobs.contracts import BackgroundJobs, add_module_job

RATE: Final = FINISHED / LENGTH.total_seconds()


class Customers(HostedService):
    """Keeps the shop busy: enqueues as many jobs as it has had so far."""

    name = "customers of the shop"

    def __init__(self, jobs: BackgroundJobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Enqueue until cancelled."""
        task_status.started()
        chance = random.Random()  # noqa: S311
        kinds, weights = [each.job for each in SHARES], [each.weight for each in SHARES]
        while True:
            now = self._clock.now()
            await anyio.sleep(chance.expovariate(2 * RATE * tide(now)))
            job: type[ShopJob] = chance.choices(kinds, weights)[0]
            story = Story(self._clock.now(), chance.getrandbits(32))
            data = story.data(job)
            await self._jobs.enqueue(job, data, tags=story.tags(job, data))


class ShopModule(Module):
    """A shop as an application of modhost."""

    name: ClassVar[str] = MODULE
    version: ClassVar[str] = MODULE_VERSION
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    def __init__(self, *, is_busy: bool = False) -> None:
        self._is_busy = is_busy

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        """Register the jobs."""
        for job in JOBS:
            add_module_job(services, job)
        services.add_singleton(Customers)

    @hookimpl
    def hosted_services(self, host: HostInfo) -> Sequence[type[HostedService]]:
        """Let customers order where somebody looks."""
        return [Customers] if self._is_busy and host.role == "web" else []

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        """Put the schedules that code owns."""
        scheduling = await scope.get(BackgroundJobs)
        for each in definitions():
            if each.is_of_code:
                await scheduling.add_recurring(
                    each.job,
                    name=each.name,
                    cron_expression=each.cron,
                    time_zone=each.zone,
                    data=each.data,
                )
