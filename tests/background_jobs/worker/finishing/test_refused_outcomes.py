"""What the database refuses of one job, in a batch with others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import anyio
import pytest

from background_jobs.support import attempt_of, claim, new_job
from modhost.database import Database
from modhost.events import Events
from modhost.module import HostInfo
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import CurrentWorker, Ended, JobTypes, LogLine
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.selection import Selection
from modhost_background_jobs.storage import JobStore, open_lane_store
from modhost_background_jobs.storage.statistics import AppVersions, StatisticsStore
from modhost_background_jobs.worker.attempts.attempt import AttemptRegistry
from modhost_background_jobs.worker.finishing.finisher import Finisher, OutcomeWriter
from modhost_background_jobs.worker.finishing.in_process import InProcessEnds
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


class Refusing:
    """A store that refuses some texts, and the ends of some jobs."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self.jobs: set[UUID] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        if any(each.error == "poison" or each.lease.job_id in self.jobs for each in ended):
            raise ValueError
        return await self._store.end(ended, now)

    async def append_logs(self, lines: Sequence[LogLine], keep: int) -> set[UUID]:
        if any(line.message == "poison" for line in lines):
            raise ValueError
        return await self._store.append_logs(lines, keep)


async def test_it_holds_up_the_ends_and_logs_of_no_other(
    store: JobStore, database: Database, listing: JobListing, clock: MovingClock
) -> None:
    """The batch was tried again and again, and nothing ended on this worker any more."""
    refusing = Refusing(store)
    buffer = ProgressBuffer(refusing, BackgroundJobsOptions(max_log_entries=10))
    host = HostInfo("worker", "production", "1.0.0")
    statistics = StatisticsService(
        StatisticsStore(database), AppVersions(database), CurrentWorker(), clock, host
    )
    nobody = InProcessEnds(cast("Events", None), (), database, JobTypes([]))
    lanes = open_lane_store(database, clock)
    writer = OutcomeWriter(refusing, lanes, buffer, clock, nobody)
    finisher = Finisher(writer, statistics, clock)
    await store.insert([new_job() for _ in range(7)])
    attempts = AttemptRegistry()
    for number, claimed in enumerate(await claim(store)):
        attempt = attempt_of(claimed)
        attempts.add(attempt)
        is_poison = number == 2
        message = "poison" if is_poison else "fine"
        buffer.log(LogLine(claimed.lease, 0, clock.now(), message))
        if number == 4:
            refusing.jobs.add(claimed.lease.job_id)
            finisher.add(attempt, Ended(claimed.lease, JobState.COMPLETED))
        else:
            finisher.add(attempt, Ended(claimed.lease, JobState.FAILED, message))
    async with anyio.create_task_group() as group:
        group.start_soon(finisher.run, attempts)
        with anyio.fail_after(10):
            await attempts.wait_until_left(0)
        group.cancel_scope.cancel()
    rows, *_ = await listing.page(Selection(), 0, 10)
    ends = {row.id: (row.state, row.error) for row in rows}
    reported = "the database refused how the attempt ended; the worker's log says why."
    in_order = [ends[job_id] for job_id in sorted(ends)]
    assert in_order[2] == ("Failed", reported)
    assert in_order[4][0] == "Pending"
    assert [each for number, each in enumerate(in_order) if number not in (2, 4)] == [
        ("Failed", "fine")
    ] * 5
