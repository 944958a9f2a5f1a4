"""Modules and operators pause queues and job types; who did it, until when and why is kept."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import anyio
import pytest
from sqlalchemy import select

from background_jobs.hosts import Jobs, jobs_host
from modhost.audit import AuditReader, AuditSearch
from modhost.caller import ActingFor, Caller
from modhost.database import Database
from modhost_background_jobs.contracts import BackgroundJobs, FlowControl, InvalidFlow
from modhost_background_jobs.model.pauses import PauseRow
from modhost_background_jobs.queue.pauses import Pauses
from modhost_background_jobs.storage import Wakeups
from modhost_background_jobs.storage.tables import PAUSES

pytestmark = pytest.mark.anyio

VERA = Caller("user", "user:1", "vera")


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


async def active(jobs: Jobs) -> list[PauseRow]:
    pauses, database = await jobs.service(Pauses), await jobs.service(Database)
    async with database.reading() as session:
        return await pauses.active(session)


async def stored(jobs: Jobs) -> int:
    async with (await jobs.service(Database)).reading() as session:
        return len((await (await session.connection()).execute(select(PAUSES))).all())


async def audited(jobs: Jobs, subject: str) -> list[tuple[str, str, str]]:
    """The entries about a subject, the oldest first: who did what, and the detail."""
    reader = await jobs.service(AuditReader)
    found = await reader.newest(AuditSearch(subject=subject), 10)
    return [(each.actor_name, each.action, each.detail) for each in reversed(found)]


async def test_a_pause_keeps_who_until_when_and_why(database_url: str) -> None:
    until = in_an_hour().astimezone(timezone(timedelta(hours=3)))
    async with jobs_host(database_url, mode="Producer") as jobs:
        flow: FlowControl = jobs.scheduling
        with ActingFor(VERA):
            await flow.pause_queue("mail", until=until, reason=" The provider is down ")
            await flow.pause_job_type("tests.WaitingJob")
        queue, job_type = await active(jobs)
    assert (queue.kind, queue.name, queue.paused_by) == ("queue", "mail", "user:vera")
    assert (queue.paused_until, queue.reason) == (until, "The provider is down")
    assert abs(queue.paused_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (job_type.kind, job_type.name) == ("type", "tests.WaitingJob")
    assert (job_type.paused_until, job_type.reason) == (None, "")


async def test_a_pause_survives_a_restart_and_ends_when_it_is_resumed(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await jobs.scheduling.pause_queue("mail")
        await jobs.scheduling.pause_job_type("mail")
    async with jobs_host(database_url, mode="Producer") as jobs:
        assert len(await active(jobs)) == 2
        await jobs.scheduling.resume_queue("mail")
        assert [each.kind for each in await active(jobs)] == ["type"]
        await jobs.scheduling.resume_job_type("mail")
        await jobs.scheduling.resume_job_type("mail")
        assert await stored(jobs) == 0


async def test_pausing_again_changes_the_pause(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await jobs.scheduling.pause_queue("mail", until=in_an_hour(), reason="first")
        await jobs.scheduling.pause_queue("mail", reason="second")
        (pause,) = await active(jobs)
    assert (pause.paused_until, pause.reason) == (None, "second")


async def test_a_pause_ends_by_itself(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        soon = datetime.now(UTC) + timedelta(seconds=0.3)
        await jobs.scheduling.pause_queue("mail", until=soon)
        with anyio.fail_after(20):
            while await active(jobs):
                await anyio.sleep(0.02)
        assert datetime.now(UTC) >= soon


async def test_what_is_done_is_in_the_audit(database_url: str) -> None:
    until = in_an_hour().replace(microsecond=0)
    async with jobs_host(database_url, mode="Producer") as jobs:
        with ActingFor(VERA):
            await jobs.scheduling.pause_queue("mail", until=until, reason="maintenance")
            await jobs.scheduling.resume_queue("mail")
            await jobs.scheduling.resume_queue("mail")
            await jobs.scheduling.pause_job_type("tests.WaitingJob", reason="slow")
        of_queue = await audited(jobs, "queue:mail")
        of_type = await audited(jobs, "type:tests.WaitingJob")
    assert of_queue == [
        ("vera", "queues.pause", f"until {until:%Y-%m-%d %H:%M:%S} UTC; maintenance"),
        ("vera", "queues.resume", ""),
        ("vera", "queues.resume", "it was not paused"),
    ]
    assert of_type == [("vera", "job_types.pause", "slow")]


async def test_a_module_that_pauses_is_named_too(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        with ActingFor(Caller("job", "job:7", "tests.WaitingJob")):
            await jobs.scheduling.pause_queue("mail")
        (pause,) = await active(jobs)
    assert pause.paused_by == "job:tests.WaitingJob"


async def test_every_change_wakes_workers_of_other_processes(database_url: str) -> None:
    async with (
        jobs_host(database_url, mode="Producer") as operator,
        jobs_host(database_url) as worker,
    ):
        wakeups = await worker.service(Wakeups)
        for change in (operator.scheduling.pause_queue, operator.scheduling.resume_queue):
            ticket = wakeups.work.ticket()
            await change("mail")
            with anyio.fail_after(20):
                await ticket.wait()


@pytest.mark.parametrize("name", ["", " ", "a,b", "*", "!mail", "a\nb", "\ud800", "x" * 101, None])
async def test_a_name_that_no_queue_can_have_is_refused(sqlite_url: str, name: Any) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        for change in (jobs.scheduling.pause_queue, jobs.scheduling.resume_queue):
            with pytest.raises(InvalidFlow, match="No queue is named"):
                await change(name)


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "\ud800", "x" * 501, 7])
async def test_a_name_that_no_type_can_have_is_refused(sqlite_url: str, name: Any) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        for change in (jobs.scheduling.pause_job_type, jobs.scheduling.resume_job_type):
            with pytest.raises(InvalidFlow, match="No job type is named"):
                await change(name)


@pytest.mark.parametrize(
    "until",
    [
        datetime(2100, 1, 1),  # noqa: DTZ001 - which is refused
        datetime(2020, 1, 1, tzinfo=UTC),
        datetime(9000, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))),
        timedelta(hours=1),
        "tomorrow",
    ],
)
async def test_an_end_without_a_zone_or_not_in_the_future_is_refused(
    sqlite_url: str, until: Any
) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        with pytest.raises(InvalidFlow, match="until is"):
            await jobs.scheduling.pause_queue("mail", until=until)
        with pytest.raises(InvalidFlow, match="until is"):
            await jobs.scheduling.pause_job_type("mail", until=until)
        assert await stored(jobs) == 0


@pytest.mark.parametrize("reason", ["x" * 501, "two\nlines", "\x00", "\ud800", None])
async def test_a_reason_that_nobody_could_read_is_refused(sqlite_url: str, reason: Any) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        with pytest.raises(InvalidFlow, match="The reason is"):
            await jobs.scheduling.pause_queue("mail", reason=reason)
        await jobs.scheduling.pause_queue("mail", reason="x" * 500)


def test_flow_control_is_part_of_background_jobs() -> None:
    assert FlowControl in BackgroundJobs.__mro__
