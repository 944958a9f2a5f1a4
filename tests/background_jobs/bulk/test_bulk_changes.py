"""Changing all jobs of a search: whatever is busy, wherever it breaks off, and who asked for it."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import anyio
import pytest

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from background_jobs.support import new_job
from modhost.audit import AuditReader, AuditSearch
from modhost.caller import ActingFor, Caller
from modhost_background_jobs.bulk.change import BulkChange, Change
from modhost_background_jobs.bulk.changes import BulkChanges, BulkRequests, Changed
from modhost_background_jobs.client.run_again import Rerunning
from modhost_background_jobs.contracts import JobId, JobState
from modhost_background_jobs.inspection.alerts import alerts_of
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.model import as_bulk_runner
from modhost_background_jobs.queries.search import JobBrowser
from modhost_background_jobs.queries.search.job_search import JobSearch
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.worker.registration import identify_worker
from moving_clock import START

pytestmark = pytest.mark.anyio

BULK_CHANGE = "background_jobs.ChangeManyJobs"
PENDING = JobSearch(state=(JobState.PENDING,), job_type="tests.ReportingJob")
VERA = Caller("user", "user:1", "vera")
SOON: dict[str, Any] = {
    "heartbeat_interval": "50ms",
    "stall_timeout": "200ms",
    "stall_sweep_interval": "50ms",
}


async def request(jobs: Jobs, change: Change = Change.CANCEL, search: JobSearch = PENDING) -> JobId:
    async with jobs.host.scope() as scope:
        with ActingFor(VERA):
            return await (await scope.get(BulkRequests)).enqueue(change, search)


async def pending(jobs: Jobs, count: int = 5) -> list[JobId]:
    return await jobs.scheduling.enqueue_many(ReportingJob, [Work()] * count)


async def states(jobs: Jobs, ids: Collection[UUID]) -> list[JobState]:
    return [(await jobs.detail(id_)).state for id_ in sorted(ids, reverse=True)]


async def patient(jobs: Jobs) -> BulkChanges:
    """Return the bulk changes of a host, which take no job for locked because it takes long."""
    changes = await jobs.service(BulkChanges)
    changes.lock_seconds = 60.0
    return changes


class Gate:
    """Lets the bulk changes of a host do so many batches of one job, and no more until it opens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, changes: BulkChanges, batches: int) -> None:
        self.reached = anyio.Event()
        self.open = anyio.Event()
        self._left = batches
        self._change = changes.change
        changes.batch_size = 1
        monkeypatch.setattr(changes, "change", self._change_or_wait)

    async def _change_or_wait(
        self, change: Change, ids: Collection[UUID], execute_at: datetime | None = None
    ) -> Changed:
        if not self._left:
            self.reached.set()
            await self.open.wait()
        else:
            self._left -= 1
        return await self._change(change, ids, execute_at)


async def test_jobs_are_cancelled_while_every_slot_is_busy(database_url: str) -> None:
    """It was a job like those that it was to cancel, and waited behind them."""
    async with jobs_host(database_url, max_concurrency=1) as jobs:
        await jobs.reaches(await jobs.scheduling.enqueue(WaitingJob), JobState.RUNNING)
        ids = await pending(jobs)
        bulk_change = await jobs.ends(await request(jobs))
        assert bulk_change.state is JobState.COMPLETED
        assert set(await states(jobs, ids)) == {JobState.CANCELLED}
        assert jobs.probe.stopped["waiting"] == 0
        jobs.probe.gate.set()


async def test_jobs_are_cancelled_without_any_consumer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        gate = Gate(monkeypatch, await patient(jobs), batches=1)
        ids = await pending(jobs)
        bulk_change = await request(jobs)
        with anyio.fail_after(20):
            await gate.reached.wait()
        async with jobs.host.scope() as scope:
            seen = await (await scope.get(Snapshots)).take()
        # A host that runs a bulk change is not a consumer, and counts as none.
        assert seen.workers == []
        assert [each.title for each in alerts_of(seen)] == ["Nothing executes jobs"]
        gate.open.set()
        assert (await jobs.ends(bulk_change)).progress_message == "5 jobs done"
        assert set(await states(jobs, ids)) == {JobState.CANCELLED}


async def test_one_host_at_a_time_runs_a_bulk_change(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        async with jobs_host(database_url, mode="Producer") as other:
            for each in (jobs, other):
                await patient(each)
            await pending(jobs, 20)
            bulk_change = await jobs.ends(await request(jobs))
            assert await other.detail(bulk_change.id) == bulk_change
    assert len(bulk_change.attempts) == 1
    assert [entry.message for entry in bulk_change.logs] == [
        "cancel: 20 jobs match; requested by user:vera",
        "20 jobs done; 0 were in another state, still needed or gone before their turn",
    ]


async def test_a_bulk_change_is_stopped_half_way(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        gate = Gate(monkeypatch, await patient(jobs), batches=2)
        ids = await pending(jobs)
        bulk_change = await request(jobs)
        with anyio.fail_after(20):
            await gate.reached.wait()
        await jobs.scheduling.cancel(bulk_change)
        stopped = await jobs.ends(bulk_change)
        assert stopped.state is JobState.CANCELLED
        assert stopped.progress_percentage == 40
        assert stopped.progress_message == "Cancelling 5 jobs… 2 done"
        assert await states(jobs, ids) == [JobState.CANCELLED] * 2 + [JobState.PENDING] * 3


async def test_a_host_that_stops_leaves_its_bulk_change_to_others(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        gate = Gate(monkeypatch, await patient(jobs), batches=2)
        ids = await pending(jobs)
        bulk_change = await request(jobs)
        with anyio.fail_after(20):
            await gate.reached.wait()
    gate.open.set()
    async with jobs_host(database_url, mode="Producer") as jobs:
        assert (await jobs.ends(bulk_change)).state is JobState.COMPLETED
        assert set(await states(jobs, ids)) == {JobState.CANCELLED}


async def test_the_bulk_change_of_a_host_that_died_is_continued(
    database_url: str, store: JobStore
) -> None:
    """Nobody but consumers took jobs back from the dead, and there may be none."""
    waiting = [new_job(job_type="tests.ReportingJob") for _ in range(3)]
    data = BulkChange(change=Change.CANCEL, search=PENDING, last=waiting[-1].id)
    bulk_change = new_job(job_type=BULK_CHANGE, data=data.model_dump_json())
    dead = as_bulk_runner(identify_worker(1, (BULK_CHANGE,)))
    await store.register(dead, START)
    await store.insert([*waiting, bulk_change])
    assert len(await store.claim(dead.name, [BULK_CHANGE], 1, START)) == 1
    async with jobs_host(database_url, mode="Producer", **SOON) as jobs:
        done = await jobs.ends(bulk_change.id)
        assert done.state is JobState.COMPLETED
        assert set(await states(jobs, [job.id for job in waiting])) == {JobState.CANCELLED}
    # What a consumer has, the producer left alone: it may be slow.
    assert "w1" in {each.worker for each in await store.heartbeats()}


async def test_the_request_is_in_the_audit_with_its_caller(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await pending(jobs)
        bulk_change = await jobs.ends(await request(jobs))
        async with jobs.host.scope() as scope:
            reader = await scope.get(AuditReader)
            (entry,) = await reader.newest(AuditSearch(subject=f"job:{bulk_change.id}"), 10)
            of_each = await reader.newest(AuditSearch(action="jobs.cancel"), 10)
    assert (entry.action, entry.actor_name) == ("jobs.cancel_many", "vera")
    assert "'state': 'Pending'" in entry.detail
    assert {each.actor_id for each in of_each} == {f"job:{bulk_change.id}"}
    assert len(of_each) == 5


async def test_a_request_says_whose_it_is_whatever_its_data_say(sqlite_url: str) -> None:
    """The name stood in the data, which whoever runs a job again may edit."""
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        first = await jobs.ends(await request(jobs))
        forged = json.dumps({**(first.data or {}), "asked_by": "user:somebody else"})
        async with jobs.host.scope() as scope:
            with ActingFor(Caller("user", "user:2", "mallory")):
                again = await (await scope.get(Rerunning)).run_again(first.id, forged)
        done = await jobs.ends(again)
    assert done.logs[0].message == "cancel: 0 jobs match; requested by user:mallory"


@pytest.mark.parametrize("words", [None, "failure"])
async def test_jobs_that_failed_are_retried_by_a_bulk_change(
    database_url: str, words: str | None
) -> None:
    """However many errors there are to search for words: here more than a batch."""
    async with jobs_host(database_url, max_attempts=1) as jobs:
        browser = await jobs.service(JobBrowser)
        browser.batch_size = browser.max_counted_errors = 2
        ids = [
            await jobs.scheduling.enqueue(ReportingJob, Work(name=f"job {number}", failures=1))
            for number in range(5)
        ]
        for id_ in ids:
            await jobs.reaches(id_, JobState.FAILED)
        failed = JobSearch(state=(JobState.FAILED,), q=words)
        assert (await jobs.ends(await request(jobs, Change.RETRY, failed))).error is None
        for id_ in ids:
            await jobs.until(id_, lambda job: job.state is JobState.COMPLETED)
