"""A pending job says which pause, limit or missing worker it waits for, and how long."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.inspection.test_inspection import sent_for
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost.caller import ActingFor, Caller
from modhost_background_jobs.contracts import Concurrency, JobId, JobState, Rate

pytestmark = pytest.mark.anyio

VERA = Caller("user", "user:1", "vera")
HOUR = timedelta(hours=1)


class OneAtATime(WaitingJob):
    concurrency: ClassVar[Concurrency] = Concurrency(1, per="name", name="crm")


class AtMostTwo(WaitingJob):
    concurrency: ClassVar[Concurrency] = Concurrency(2)


class TwoAnHour(ReportingJob):
    rate: ClassVar[Rate] = Rate(2, HOUR)


@asynccontextmanager
async def host(database_url: str, **options: Any) -> AsyncIterator[Jobs]:
    jobs = (OneAtATime, AtMostTwo, TwoAnHour)
    async with jobs_host(database_url, more_jobs=jobs, **options) as hosted:
        yield hosted
        hosted.probe.gate.set()


async def reason(jobs: Jobs, job_id: UUID) -> str | None:
    return (await jobs.detail(job_id)).waiting_for


async def until_held(jobs: Jobs, job_id: UUID, words: str) -> str:
    """Wait until a worker has found that a limit holds a job back."""
    with anyio.fail_after(20):
        while words not in (found := await reason(jobs, job_id) or ""):
            await anyio.sleep(0.02)
    return found


async def test_a_job_says_by_whom_its_queue_is_paused_and_why(database_url: str) -> None:
    async with host(database_url, mode="Producer") as jobs:
        until = datetime(2100, 1, 2, 3, 4, 5, tzinfo=UTC)
        with ActingFor(VERA):
            await jobs.scheduling.pause_queue("mail", reason="the provider is down")
            await jobs.scheduling.pause_job_type("tests.WaitingJob", until=until)
        mail = await jobs.scheduling.enqueue(ReportingJob, Work(), queue="mail")
        later = datetime.now(UTC) + HOUR
        mail_later = await jobs.scheduling.schedule(ReportingJob, later, Work(), queue="mail")
        typed = await jobs.scheduling.enqueue(WaitingJob)
        far = await jobs.scheduling.schedule(WaitingJob, until + HOUR)
        paused = (
            "The queue mail is paused by vera (the provider is down) until somebody resumes it."
        )
        assert await reason(jobs, mail) == paused
        assert await reason(jobs, mail_later) == paused
        assert await reason(jobs, typed) == (
            "The type tests.WaitingJob is paused by vera; "
            "the pause ends at 2100-01-02 03:04:05 UTC."
        )
        assert await reason(jobs, far) == "It is due at 2100-01-02 04:04:05 UTC."
        await jobs.scheduling.resume_queue("mail")
        async with host(database_url):
            done = await jobs.ends(mail)
            assert (done.state, done.waiting_for) == (JobState.COMPLETED, None)
            assert (await jobs.detail(typed)).state is JobState.PENDING


async def test_a_job_says_which_limit_holds_it_back_and_how_many_are_before_it(
    database_url: str,
) -> None:
    async with host(database_url, max_concurrency=8) as jobs:
        ids = [await jobs.scheduling.enqueue(OneAtATime, Work(name="acme")) for _ in range(4)]
        two = [await jobs.scheduling.enqueue(AtMostTwo) for _ in range(3)]
        await jobs.reaches(ids[0], JobState.RUNNING)
        beginning = "The limit crm lets 1 job run at a time for the key acme: 1 runs now, and "
        assert await until_held(jobs, ids[1], "crm") == f"{beginning}it is next."
        assert await until_held(jobs, ids[2], "crm") == f"{beginning}1 waits before it."
        assert await until_held(jobs, ids[3], "crm") == f"{beginning}2 wait before it."
        assert await until_held(jobs, two[2], "limit") == (
            "The limit tests.AtMostTwo.concurrency lets 2 jobs run at a time: 2 run now, and it is "
            "next."
        )
        # Two statements more than for a job that nothing holds back.
        assert await sent_for(jobs, ids[2]) == 6
        await jobs.scheduling.cancel(JobId(ids[1]))
        assert await reason(jobs, ids[3]) == f"{beginning}1 waits before it."
        assert (await jobs.detail(ids[0])).waiting_for is None


async def test_a_job_says_when_its_rate_lets_it_start(database_url: str) -> None:
    async with host(database_url) as jobs:
        ids = [await jobs.scheduling.enqueue(TwoAnHour, Work()) for _ in range(5)]
        first = (await jobs.ends(ids[0])).started_at
        assert first is not None
        beginning = "The limit tests.TwoAnHour.rate lets 2 jobs start within 1h: "
        found = [await until_held(jobs, id_, "its turn comes") for id_ in ids[2:]]
        for text, place, due in (
            (found[0], "it is next, and its turn comes at ", first + HOUR),
            (found[1], "1 waits before it, and its turn comes, at the earliest at ", first + HOUR),
            (
                found[2],
                "2 wait before it, and its turn comes, at the earliest at ",
                first + 2 * HOUR,
            ),
        ):
            assert text.startswith(f"{beginning}{place}"), text
            moment = text.removeprefix(f"{beginning}{place}").removesuffix(" UTC.")
            at = datetime.strptime(moment, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
            assert abs(at - due) < timedelta(seconds=5)


async def test_a_job_says_that_no_worker_serves_its_queue(database_url: str) -> None:
    async with host(database_url, queues=["*", "!bulk"], max_concurrency=1) as jobs:
        bulk = await jobs.scheduling.enqueue(ReportingJob, Work(), queue="bulk")
        await jobs.until(bulk, lambda job: "No living worker" in (job.waiting_for or ""))
        assert await reason(jobs, bulk) == (
            "No living worker serves the queue bulk: start one whose option `queues` has it."
        )
        await jobs.reaches(await jobs.scheduling.enqueue(WaitingJob), JobState.RUNNING)
        other = await jobs.scheduling.enqueue(ReportingJob, Work(), queue="other")
        assert await reason(jobs, other) == "All slots of the workers that know its type are busy."
        async with host(database_url, queues=["bulk"]):
            assert (await jobs.ends(bulk)).state is JobState.COMPLETED


async def test_the_page_and_the_api_say_the_same(database_url: str) -> None:
    async with host(database_url, mode="Producer") as jobs:
        await jobs.scheduling.pause_queue("mail", reason="<b>later</b>")
        mail = await jobs.scheduling.enqueue(
            ReportingJob, Work(), queue="mail", priority=7, tags=["customer:42"]
        )
        client = await jobs.host.client("BackgroundJobs.ViewJobs")
        answer = (await client.get(f"/api/jobs/{mail}")).json()
        page = (await client.get(f"/admin/jobs/{mail}", headers={"Accept": "text/html"})).text
        limited = await jobs.scheduling.enqueue(OneAtATime, Work(name="acme <1>"), queue="mail")
        path = f"/admin/jobs/{limited}"
        of_limit = (await client.get(path, headers={"Accept": "text/html"})).text
    assert answer["waiting_for"].startswith("The queue mail is paused")
    assert "(&lt;b&gt;later&lt;/b&gt;) until somebody resumes it." in page
    for part in ("?queue=mail", "<dd>7</dd>", "?tag=customer%3A42"):
        assert part in page
    assert 'crm <span class="quiet">for</span> acme &lt;1&gt;' in of_limit
