"""Stored schedules that this machine or this version cannot read, or would refuse today."""

from datetime import timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import update

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import JobsModule, Probe, ReportingJob, Work
from modhost.clock import SystemClock
from modhost.configuration import Configuration
from modhost.database import Database
from modhost.diagnosis import examine
from modhost.runtime.assembly import build_host
from modhost_background_jobs.contracts import RecurringJobId, UnknownTimeZone
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.storage.tables import SCHEDULES
from sweeps import first_on_both

pytestmark = pytest.mark.anyio

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"
UNREADABLE = [
    ({"time_zone": "Gone/Zone"}, "'Gone/Zone' is not a time zone that this machine knows"),
    ({"cron_expression": "@fortnightly"}, "The cron macro '@fortnightly' is unknown"),
    ({"overlap": "replace"}, "Its overlap is 'replace', which this version does not have"),
    ({"catch_up": "newest"}, "Its catch_up is 'newest', which this version does not have"),
]
OUTDATED = [
    ({"time_zone": "localtime"}, "'localtime' is another time zone on another machine"),
    ({"cron_expression": "*/90 * * * *"}, "the step of '*/90' goes beyond its range"),
]


async def stored(jobs: Jobs, values: dict[str, Any]) -> RecurringJobId:
    """Add a schedule, and store what another version or machine had put there."""
    id_ = await jobs.scheduling.add_recurring(
        ReportingJob, name="Nightly", cron_expression="0 3 * * *"
    )
    database = await jobs.service(Database)
    async with database.session() as session:
        changed = update(SCHEDULES).where(SCHEDULES.c.id == id_).values(values)
        await (await session.connection()).execute(changed)
    return id_


async def shown(client: AsyncClient) -> tuple[dict[str, Any], str]:
    """Return the one schedule as the API lists it, and the page that shows it."""
    (listed,) = (await client.get("/api/jobs/recurring")).json()
    page = await client.get("/admin/jobs/recurring", headers={"Accept": "text/html"})
    return listed, page.text.replace("&#39;", "'")


async def found(database_url: str) -> list[tuple[str, str]]:
    """Return what the doctor finds, by the codes of its rules."""
    configuration = Configuration({"host": {"database_url": database_url}})
    modules = [BackgroundJobsModule(), JobsModule(Probe())]
    host = build_host(configuration, "command", modules=modules)
    return [(each.rule.code, each.detail) for each in (await examine(host)).findings]


@first_on_both("values,reason", UNREADABLE)
async def test_what_cannot_be_read_is_explained_everywhere_and_can_be_disabled(
    database_url: str, values: dict[str, Any], reason: str
) -> None:
    """The toggle answered 500, the page said "Never, while it is disabled", the doctor nothing."""
    async with jobs_host(database_url, mode="Producer") as jobs:
        id_ = await stored(jobs, values)
        client = await jobs.host.client(VIEW, MANAGE)
        listed, page = await shown(client)
        findings = dict(await found(database_url))
        health = await jobs.health()
        path = f"/api/jobs/recurring/{id_}"
        answers = [await client.post(f"{path}/{verb}") for verb in ("disable", "disable")]
        assert await found(database_url) == []
        assert await jobs.health() == ""
    assert reason in listed["problem"]
    assert reason in page
    assert "It cannot fire here" in page
    assert "while it is disabled" not in page
    assert reason in findings["MH608"]
    assert "Some schedules cannot fire on this machine (1)." in health
    assert [answer.json() for answer in answers] == [{"is_enabled": False}] * 2


async def test_to_enable_what_cannot_be_read_is_refused_with_the_reason(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        id_ = await stored(jobs, {"time_zone": "Gone/Zone", "is_enabled": False})
        with pytest.raises(UnknownTimeZone, match="or install its zone data"):
            await jobs.scheduling.enable_recurring(id_)
        client = await jobs.host.client(VIEW, MANAGE)
        path = f"/api/jobs/recurring/{id_}"
        answers = [await client.post(f"{path}/{verb}") for verb in ("enable", "toggle")]
        page = await client.post(
            f"/admin/jobs/recurring/{id_}/enable",
            headers={"Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"},
        )
        (listed,) = (await client.get("/api/jobs/recurring")).json()
    assert [answer.status_code for answer in answers] == [409, 409]
    assert "'Gone/Zone' is not a time zone" in answers[0].json()["detail"]
    assert "notice=unreadable" in page.headers["location"]
    assert listed["is_enabled"] is False


@pytest.mark.parametrize(("values", "reason"), OUTDATED)
async def test_what_would_be_refused_today_continues_and_is_shown_with_a_remedy(
    database_url: str, values: dict[str, Any], reason: str
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        id_ = await stored(jobs, values)
        client = await jobs.host.client(VIEW, MANAGE)
        listed, page = await shown(client)
        ((code, detail),) = await found(database_url)
        assert await jobs.health() == ""
        for verb in ("disable", "enable"):
            assert (await client.post(f"/api/jobs/recurring/{id_}/{verb}")).status_code == 200
    assert "It fires as it did" in listed["problem"]
    assert reason in listed["problem"]
    assert listed["next_run_at"] is not None
    assert reason in page
    assert (code, reason in detail) == ("MH609", True)


@first_on_both("values,reason", UNREADABLE)
async def test_an_edit_makes_it_readable_and_keeps_the_run_that_is_due(
    database_url: str, values: dict[str, Any], reason: str
) -> None:
    """An edit in `on_start` ended the start: a later version had stored its own policy."""
    due_at = SystemClock().now() - timedelta(seconds=30)
    async with jobs_host(database_url, poll_interval="50ms") as jobs:
        await stored(jobs, values | {"next_run_at": due_at})
        (listed,) = await jobs.querying.get_recurring_jobs()
        assert reason in str(listed.problem)
        await jobs.scheduling.add_recurring(
            ReportingJob, data=Work(), name="Nightly", cron_expression="0 4 * * *"
        )
        (listed,) = await jobs.querying.get_recurring_jobs()
        assert listed.problem is None
        await jobs.probe.until(lambda: jobs.probe.finished["job"] == 1)
