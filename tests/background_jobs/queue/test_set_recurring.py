"""Modules that declare all of their schedules, and schedules that no start puts any more."""

from collections.abc import Sequence
from typing import ClassVar

import anyio
import pytest
from sqlalchemy import update

from background_jobs.jobs_module import JobsModule, Probe, ReportingJob, WaitingJob
from hosts import HostedJobs, host_with
from modhost import Module, Scope, ServiceCollection, hookimpl
from modhost.configuration import Configuration
from modhost.database import Database
from modhost.diagnosis import examine
from modhost.runtime.assembly import build_host
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    InvalidJobData,
    JobExecutionContext,
    ModuleJob,
    RecurringDefinition,
    RecurringJob,
    add_module_job,
)
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.queue.schedules import RecurringSchedules
from modhost_background_jobs.storage.tables import SCHEDULES

pytestmark = pytest.mark.anyio

CONSUMER = {"worker_mode": "Consumer"}


class SweepJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None: ...


class SweepsModule(Module):
    """A module whose start puts schedules, one by one or as all that it has."""

    name: ClassVar[str] = "sweeps"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    def __init__(self, names: Sequence[str], *, declares: bool = False) -> None:
        self._names = names
        self._declares = declares

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, SweepJob)

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        jobs = await scope.get(BackgroundJobs)
        if self._declares:
            await jobs.set_recurring("sweeps", definitions(*self._names))
            return
        for name in self._names:
            await jobs.add_recurring(SweepJob, name=name, cron_expression="@daily")


def definitions(*names: str, job: type[ModuleJob] = SweepJob) -> list[RecurringDefinition]:
    return [RecurringDefinition(job=job, name=name, cron_expression="@daily") for name in names]


async def names_of(jobs: HostedJobs) -> list[str]:
    return [each.name for each in await jobs.querying.get_recurring_jobs()]


async def doctor(database_url: str) -> list[str]:
    configuration = Configuration({"host": {"database_url": database_url}})
    modules = [BackgroundJobsModule(), SweepsModule([]), JobsModule(Probe())]
    report = await examine(build_host(configuration, "command", modules=modules))
    return [f"{each.rule.code} {each.detail}" for each in report.findings]


async def until_left_out(jobs: HostedJobs, name: str) -> None:
    schedules = await jobs.service(RecurringSchedules)
    with anyio.fail_after(20):
        while not any(each.left_out_since for each in await schedules.all() if each.name == name):
            await anyio.sleep(0.02)


async def test_a_schedule_that_no_start_puts_any_more_is_named(database_url: str) -> None:
    """Renamed in code, the old one fired on, and all was green."""
    for names in (["Old", "Kept"], ["New", "Kept"]):
        module = SweepsModule(names)
        async with host_with(database_url, module, background_jobs=CONSUMER) as jobs:
            if "New" in names:
                await until_left_out(jobs, "Old")
                client = await jobs.host.client("BackgroundJobs.ViewJobs")
                page = await client.get("/admin/jobs/recurring")
                assert page.text.count("No start of sweeps has put it since") == 1
    (finding,) = await doctor(database_url)
    assert finding.startswith("MH610 the recurring job 'Old' of the module 'sweeps' fires, and no")
    async with host_with(database_url, SweepsModule(["Old", "New", "Kept"])):
        pass
    assert await doctor(database_url) == []


async def test_a_schedule_that_was_added_at_run_time_is_not(database_url: str) -> None:
    async with host_with(database_url, SweepsModule([])) as jobs:
        await jobs.scheduling.add_recurring(SweepJob, name="Own", cron_expression="@daily")
    async with host_with(database_url, SweepsModule(["A"]), background_jobs=CONSUMER):
        pass
    async with host_with(database_url, SweepsModule([]), background_jobs=CONSUMER) as jobs:
        await until_left_out(jobs, "A")
    assert [each.count("'A'") for each in await doctor(database_url)] == [1]


@pytest.mark.parametrize("puts_others", [True, False])
async def test_one_of_an_earlier_version_is_judged_by_what_its_module_does(
    database_url: str, *, puts_others: bool
) -> None:
    """Whether its start had put it was not stored; the one of the reports is put once."""
    async with host_with(database_url, SweepsModule(["Old"])) as jobs:
        database = await jobs.service(Database)
        async with database.session() as session:
            unknown = update(SCHEDULES).values(is_of_start=None)
            await (await session.connection()).execute(unknown)
    names = ["New", "Gone"] if puts_others else []
    for some in (names, names[:1]):
        async with host_with(database_url, SweepsModule(some), background_jobs=CONSUMER) as jobs:
            if puts_others:
                await until_left_out(jobs, "Old")
            else:
                await anyio.sleep(0.2)
    named = " ".join(await doctor(database_url))
    assert ("'Old'" in named, "'New'" in named) == (puts_others, False)


async def test_a_module_declares_all_that_it_has(database_url: str) -> None:
    async with host_with(database_url, SweepsModule(["Old", "Kept"])) as jobs:
        before = {each.name: each for each in await jobs.querying.get_recurring_jobs()}
        await jobs.scheduling.disable_recurring(before["Kept"].id)
    modules = (SweepsModule(["New", "Kept"], declares=True), JobsModule(Probe()))
    async with host_with(database_url, *modules) as jobs:
        other = await jobs.scheduling.add_recurring(
            ReportingJob, name="Old", cron_expression="@daily"
        )
        after: dict[str, RecurringJob] = {
            each.name: each for each in await jobs.querying.get_recurring_jobs()
        }
        assert sorted(after) == ["Kept", "New", "Old"]
        assert (after["Kept"].id, after["Kept"].is_enabled) == (before["Kept"].id, False)
        assert after["Old"].id == other
        assert await jobs.scheduling.set_recurring("sweeps", []) == []
        assert await names_of(jobs) == ["Old"]


async def test_what_one_declaration_refuses_changes_nothing(database_url: str) -> None:
    async with host_with(database_url, SweepsModule(["A"]), JobsModule(Probe())) as jobs:
        declare = jobs.scheduling.set_recurring
        with pytest.raises(InvalidJobData, match="2 recurring jobs are named 'B'"):
            await declare("sweeps", definitions("B", "B"))
        with pytest.raises(InvalidJobData, match="a job of the module 'tests' and not of 'sweeps'"):
            await declare("sweeps", [*definitions("B"), *definitions("C", job=WaitingJob)])
        with pytest.raises(InvalidJobData, match="is blank"):
            await declare("sweeps", definitions("B", " "))
        assert await names_of(jobs) == ["A"]


NAMES = ["", " ", "\t\n", "a\x00b", "a\nb", "\ud800", "x" * 201, "x" * 100_000]


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_that_nobody_could_read_is_refused(database_url: str, name: str) -> None:
    """SQLite took them all, and PostgreSQL failed with errors of its driver."""
    async with host_with(database_url, SweepsModule([])) as jobs:
        add = jobs.scheduling.add_recurring
        with pytest.raises(
            InvalidJobData, match="give it 1 to 200 printable characters"
        ) as refused:
            await add(SweepJob, name=name, cron_expression="@daily")
        assert len(str(refused.value)) < 400
        assert str(refused.value).isprintable()
        assert await names_of(jobs) == []


@pytest.mark.parametrize("name", ["Nächtlich · 夜間 🌙", "x" * 200, "'; DROP TABLE jobs --"])
async def test_other_names_are_kept_as_they_are(database_url: str, name: str) -> None:
    async with host_with(database_url, SweepsModule([])) as jobs:
        await jobs.scheduling.add_recurring(SweepJob, name=name, cron_expression="@daily")
        assert await names_of(jobs) == [name]
