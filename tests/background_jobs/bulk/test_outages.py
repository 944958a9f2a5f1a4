"""A bulk change whose database is away for a while."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, Work
from modhost.database import Database
from modhost_background_jobs.bulk import changes, runner
from modhost_background_jobs.bulk.change import Change
from modhost_background_jobs.bulk.changes import BulkChanges, BulkRequests, Changed
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.search.job_search import JobSearch

pytestmark = pytest.mark.anyio

NOBODY_LISTENS = "postgresql://nobody@127.0.0.1:1/gone"
FAILURES = 8
"""More than a bulk change has attempts."""


async def test_it_spends_no_attempt(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "AWAY", timedelta(milliseconds=20))
    monkeypatch.setattr(runner, "MIN_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(runner, "POLL_INTERVAL", 0.02)
    async with jobs_host(database_url, mode="Producer") as jobs:
        bulk = await jobs.service(BulkChanges)
        change = bulk.change
        failures = 0

        async def change_or_fail(
            what: Change, ids: Collection[UUID], execute_at: datetime | None = None
        ) -> Changed:
            nonlocal failures
            if failures < FAILURES:
                failures += 1
                async with Database(NOBODY_LISTENS).open() as gone, gone.session() as session:
                    await session.connection()
            return await change(what, ids, execute_at)

        monkeypatch.setattr(bulk, "change", change_or_fail)
        ids = await jobs.scheduling.enqueue_many(ReportingJob, [Work()] * 3)
        search = JobSearch(state=(JobState.PENDING,), job_type="tests.ReportingJob")
        requests = await jobs.service(BulkRequests)
        done = await jobs.ends(await requests.enqueue(Change.CANCEL, search))
        assert {(await jobs.detail(id_)).state for id_ in ids} == {JobState.CANCELLED}
    assert (done.state, failures) == (JobState.COMPLETED, FAILURES)
    assert len(done.attempts) == FAILURES + 1
    assert "the database does not work (" in (done.attempts[0].error or "")
