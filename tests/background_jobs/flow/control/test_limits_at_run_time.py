"""Limits are rows: classes give the default, operators another number, which survives deploys."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from modhost.audit import AuditReader, AuditSearch
from modhost.caller import ActingFor, Caller
from modhost_background_jobs.client.limit_changes import LimitChanges
from modhost_background_jobs.contracts import (
    Concurrency,
    InvalidFlow,
    JobExecutionContext,
    ModuleJob,
    Rate,
)
from modhost_background_jobs.queue.limits import LimitRow, Limits, UnknownLimit
from modhost_background_jobs.storage import Wakeups

pytestmark = pytest.mark.anyio

VERA = Caller("user", "user:1", "vera")


class Limited(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        pass


class Fetch(Limited):
    concurrency: ClassVar[Any] = (Concurrency(2, per="host"), Concurrency(9, name="network"))
    rate: ClassVar[Any] = Rate(10, timedelta(seconds=1.5), per=("host", "path"))
    aliases: ClassVar[tuple[str, ...]] = ("tests.Download",)


class Send(Limited):
    concurrency: ClassVar[Any] = Concurrency(9, name="network")


class FetchLater(Fetch):
    """What `Fetch` is after the next deploy."""

    job_type: ClassVar[str | None] = "tests.Fetch"
    aliases: ClassVar[tuple[str, ...]] = ()
    concurrency: ClassVar[Any] = (Concurrency(4, per="host"), Concurrency(9, name="network"))
    rate: ClassVar[Any] = Rate(20, timedelta(minutes=1), per=("host", "path"))


@asynccontextmanager
async def host(url: str, more: Sequence[type[ModuleJob]] = (Fetch, Send)) -> AsyncIterator[Jobs]:
    async with jobs_host(url, mode="Producer", more_jobs=more) as jobs:
        yield jobs


async def limits(jobs: Jobs) -> dict[str, LimitRow]:
    return {row.name: row for row in await (await jobs.service(Limits)).all()}


async def change(jobs: Jobs, name: str, limit: Any) -> None:
    with ActingFor(VERA):
        await (await jobs.service(LimitChanges)).set(name, limit)


async def test_a_start_stores_the_limits_of_all_classes_each_once(database_url: str) -> None:
    async with host(database_url) as jobs:
        found = await limits(jobs)
    stored = {name: (row.kind, row.limit, row.period_seconds) for name, row in found.items()}
    assert stored == {
        "network": ("concurrency", 9, None),
        "tests.Fetch.concurrency.host": ("concurrency", 2, None),
        "tests.Fetch.rate.host+path": ("rate", 10, 1.5),
    }


async def test_a_deploy_changes_the_default_and_keeps_what_operators_set(
    database_url: str,
) -> None:
    async with host(database_url) as jobs:
        await change(jobs, "tests.Fetch.rate.host+path", 3)
    async with host(database_url, [FetchLater]) as jobs:
        rate = (await limits(jobs))["tests.Fetch.rate.host+path"]
        concurrency = (await limits(jobs))["tests.Fetch.concurrency.host"]
        assert (rate.limit, rate.default_limit, rate.period_seconds) == (3, 20, 60)
        assert (concurrency.limit, concurrency.default_limit) == (4, 4)
        await change(jobs, rate.name, None)
        assert (await limits(jobs))[rate.name].limit == 20


async def test_who_changed_a_limit_and_when_is_kept_and_audited(database_url: str) -> None:
    async with host(database_url) as jobs:
        await change(jobs, "network", 1)
        row = (await limits(jobs))["network"]
        assert (row.limit, row.limit_override, row.changed_by) == (1, 1, "user:vera")
        assert row.changed_at is not None
        assert abs(row.changed_at - datetime.now(UTC)) < timedelta(minutes=1)
        await change(jobs, "network", None)
        reader = await jobs.service(AuditReader)
        found = await reader.newest(AuditSearch(subject="limit:network"), 10)
    reset, changed = [(each.actor_name, each.action, each.detail) for each in found]
    assert changed == ("vera", "limits.set", "9 before, 1 now; the default is 9")
    assert reset == ("vera", "limits.reset", "1 before, 9 now; the default is 9")


@pytest.mark.parametrize("number", [0, -1, 1_000_001, 1.5, True, "3"])
async def test_a_number_out_of_bounds_is_refused(sqlite_url: str, number: Any) -> None:
    async with host(sqlite_url) as jobs:
        with pytest.raises(InvalidFlow, match="whole number from 1 to 1,000,000"):
            await change(jobs, "network", number)
        assert (await limits(jobs))["network"].limit_override is None
        await change(jobs, "network", 1_000_000)


async def test_an_unknown_limit_is_named_with_the_one_that_was_meant(database_url: str) -> None:
    async with host(database_url) as jobs:
        with pytest.raises(UnknownLimit, match=r"no limit 'netwrok'. Did you mean 'network'?"):
            await change(jobs, "netwrok", 1)
        with pytest.raises(UnknownLimit, match="`modhost jobs limits list` shows all"):
            await change(jobs, "x\x00y", None)


async def test_changes_and_deploys_wake_workers_of_other_processes(database_url: str) -> None:
    async with jobs_host(database_url, more_jobs=[Fetch, Send]) as worker:
        wakeups = await worker.service(Wakeups)
        async with host(database_url) as jobs:
            for limit in (3, None):
                ticket = wakeups.work.ticket()
                await change(jobs, "network", limit)
                with anyio.fail_after(20):
                    await ticket.wait()
        ticket = wakeups.work.ticket()
        async with host(database_url, [FetchLater]):
            with anyio.fail_after(20):
                await ticket.wait()
