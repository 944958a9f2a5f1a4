"""The monthly report is set up once, whatever happens to it afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import anyio
import pytest

from hosts import host_with
from modhost import Scope
from modhost.clock import SystemClock
from modhost.database import Database
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    RecurringJob,
)
from modhost_reports_example.jobs import MONTHLY_REPORT, MonthlyReportSeed
from modhost_reports_example.module import ReportsModule
from modhost_reports_example.storage import Seed

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def started(database_url: str) -> AsyncIterator[Scope]:
    async with host_with(database_url, ReportsModule()) as jobs, jobs.host.scope() as scope:
        yield scope


async def schedules(scope: Scope) -> list[RecurringJob]:
    return list(await (await scope.get(BackgroundJobsContracts)).get_recurring_jobs())


async def test_it_is_there_after_the_first_start_and_stays_as_people_leave_it(
    database_url: str,
) -> None:
    async with started(database_url) as scope:
        (first,) = await schedules(scope)
        assert (first.name, first.cron_expression, first.is_enabled) == (
            MONTHLY_REPORT,
            "0 0 1 * *",
            True,
        )
        await (await scope.get(BackgroundJobs)).toggle_recurring(first.id)
    async with started(database_url) as scope:
        (second,) = await schedules(scope)
        assert (second.id, second.is_enabled) == (first.id, False)
        await (await scope.get(BackgroundJobs)).remove_recurring(first.id)
    async with started(database_url) as scope:
        assert await schedules(scope) == []


async def test_hosts_that_start_at_the_same_time_make_one(database_url: str) -> None:
    async with started(database_url) as scope, started(database_url) as other:
        await forget_everything(scope)
        async with anyio.create_task_group() as group:
            for each in (scope, other, scope, other):
                group.start_soon((await each.get(MonthlyReportSeed)).plant)
        (planted,) = await schedules(scope)
        assert planted.name == MONTHLY_REPORT


async def test_a_host_that_was_late_does_not_bring_back_what_was_deleted(
    database_url: str,
) -> None:
    """It saw that nothing was planted, and slept while another planted and somebody deleted."""
    async with started(database_url) as scope:
        (planted,) = await schedules(scope)
        jobs = await scope.get(BackgroundJobs)
        await jobs.remove_recurring(planted.id)
        database = cast(Database, SawNothing(await scope.get(Database)))
        await MonthlyReportSeed(database, jobs, SystemClock()).plant()
        assert await schedules(scope) == []


class SawNothing:
    """A database in which nothing was planted yet when somebody read it."""

    def __init__(self, database: Database) -> None:
        self.session = database.session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator["SawNothing"]:
        yield self

    async def get(self, *_: object) -> None:
        return None


async def forget_everything(scope: Scope) -> None:
    jobs = await scope.get(BackgroundJobs)
    for each in await schedules(scope):
        await jobs.remove_recurring(each.id)
    async with (await scope.get(Database)).session() as session:
        await session.delete(await session.get_one(Seed, MONTHLY_REPORT))
