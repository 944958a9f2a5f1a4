"""`modhost doctor` names the schedules and the jobs that nobody could run."""

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from background_jobs.jobs_module import JobsModule, Probe, ReportingJob
from hosts import host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost.checks import Finding
from modhost.configuration import Configuration
from modhost.diagnosis import examine
from modhost.runtime.assembly import build_host
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    RecurringJobId,
    add_module_job,
)
from modhost_background_jobs.module import BackgroundJobsModule

pytestmark = pytest.mark.anyio


class StocktakingJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None: ...


class StocksModule(Module):
    name: ClassVar[str] = "stocks"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, StocktakingJob)


class RenamedStocktakingJob(StocktakingJob):
    aliases: ClassVar[tuple[str, ...]] = ("stocks.StocktakingJob",)


class NewerStocksModule(StocksModule):
    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, RenamedStocktakingJob)


def modules(*more: Module) -> list[Module]:
    return [BackgroundJobsModule(), JobsModule(Probe()), *more]


async def found(database_url: str, *more: Module) -> list[Finding]:
    """Return what the doctor of a host without the stocks finds."""
    configuration = Configuration({"host": {"database_url": database_url}})
    host = build_host(configuration, "command", modules=modules(*more))
    return list((await examine(host)).findings)


async def put(database_url: str, *, pending: bool = False) -> RecurringJobId:
    """Add schedules, and jobs that are due tomorrow, by a host that has the stocks."""
    async with host_with(database_url, JobsModule(Probe()), StocksModule()) as hosted:
        jobs = hosted.scheduling
        await jobs.add_recurring(ReportingJob, name="Known", cron_expression="0 3 * * *")
        if pending:
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            for job in (ReportingJob, StocktakingJob, StocktakingJob):
                await jobs.schedule(job, tomorrow)
        return await jobs.add_recurring(
            StocktakingJob, name="Stocktaking", cron_expression="0 0 1 1 *"
        )


async def toggle(database_url: str, schedule: RecurringJobId) -> None:
    async with host_with(database_url, JobsModule(Probe())) as jobs:
        await jobs.scheduling.toggle_recurring(schedule)


async def test_a_schedule_whose_type_nobody_registers_is_named(database_url: str) -> None:
    schedule = await put(database_url)
    assert await found(database_url, StocksModule()) == []
    (finding,) = await found(database_url)
    assert (finding.rule.code, finding.rule.severity) == ("MH602", "error")
    assert finding.module == "background_jobs"
    assert "'Stocktaking' is of type 'stocks.StocktakingJob'" in finding.detail
    assert "the module that has it ('stocks')" in finding.remedy
    assert f"`modhost jobs recurring delete {schedule}`" in finding.remedy


async def test_a_type_that_a_class_has_as_an_alias_is_known(database_url: str) -> None:
    await put(database_url, pending=True)
    assert await found(database_url, NewerStocksModule()) == []


async def test_a_schedule_that_is_disabled_needs_nobody(database_url: str) -> None:
    await toggle(database_url, await put(database_url))
    assert await found(database_url) == []


async def test_a_type_that_a_living_consumer_has_is_known(database_url: str) -> None:
    await put(database_url, pending=True)
    more = (JobsModule(Probe()), StocksModule())
    async with host_with(database_url, *more, background_jobs={"worker_mode": "Consumer"}):
        assert await found(database_url) == []
    assert {each.rule.code for each in await found(database_url)} == {"MH602", "MH603"}


async def test_jobs_that_wait_for_a_type_that_nobody_registers_are_named_once(
    database_url: str,
) -> None:
    await put(database_url, pending=True)
    _, finding = await found(database_url)
    assert (finding.rule.code, finding.rule.severity) == ("MH603", "warning")
    assert "jobs of type 'stocks.StocktakingJob' are pending, the first due at" in finding.detail
