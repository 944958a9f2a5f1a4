"""Only jobs whose room is bounded are claimed by the statement for lanes, whatever else is set."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import pytest

from background_jobs.support import TYPES, Job, new_job
from modhost.database import Database
from modhost.runtime.shutdown import ShutdownSignal
from modhost_background_jobs.contracts import RegisteredJob
from modhost_background_jobs.model import ClaimedJob, CurrentWorker, JobTypes
from modhost_background_jobs.model.claiming.lanes import LaneClaim, Shares
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, Turns, open_lane_store, open_wakeups
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.claiming.cursor import ClaimCursor
from modhost_background_jobs.worker.claiming.lanes import Lanes
from modhost_background_jobs.worker.claiming.slots import Slots
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio

PLAIN, OWN_PROCESS = TYPES


class InProcess(Job):
    executor = "process"


KNOWN = JobTypes(
    [
        RegisteredJob(PLAIN, "tests", Job, runs_in_thread=False),
        RegisteredJob(OWN_PROCESS, "tests", InProcess, runs_in_thread=False),
    ]
)
OPTIONS = BackgroundJobsOptions(process_concurrency=1, queue_concurrency={"bulk": 1})


class NotedLanes(Lanes):
    claims = 0

    async def claim(self, worker: str, shares: Shares, limit: int) -> LaneClaim:
        self.claims += 1
        return await super().claim(worker, shares, limit)


class Holding(Slots):
    """Slots that hold what they take."""

    def __init__(self) -> None:
        self.attempts = AttemptRegistry()

    def take(self, attempts: Iterable[Attempt]) -> None:
        for each in attempts:
            self.attempts.add(each)


@dataclass
class Worker:
    loop: ClaimLoop
    lanes: NotedLanes
    slots: Holding = field(default_factory=Holding)
    cursor: ClaimCursor = field(default_factory=ClaimCursor)

    async def claim(self) -> tuple[list[str], bool]:
        """Claim two jobs; return their types, and whether there may be more."""
        claimed, has_more = await self.loop.claim("w1", self.slots, 2, self.cursor, anyio.Event())
        return _types_of(claimed), has_more

    def end(self, job_type: str) -> None:
        self.slots.attempts.remove(
            each for each in self.slots.attempts if each.claimed.job_type == job_type
        )


@pytest.fixture
def worker(database: Database, store: JobStore, clock: MovingClock) -> Worker:
    lane_store = open_lane_store(database, clock)
    lanes = NotedLanes(KNOWN, lane_store, Turns(database), OPTIONS, clock, store)
    wakeups, signal, own = open_wakeups(database), ShutdownSignal(), CurrentWorker()
    return Worker(ClaimLoop(KNOWN, store, wakeups, OPTIONS, signal, clock, lanes, own), lanes)


async def test_what_a_worker_bounds_costs_other_jobs_nothing(
    worker: Worker, store: JobStore
) -> None:
    """Every claim of a host that had a job with `executor = "process"` went the longer way."""
    await store.insert([new_job() for _ in range(6)])
    for _ in range(3):
        assert (await worker.claim())[0] == [PLAIN, PLAIN]
    assert await worker.claim() == ([], True)
    assert await worker.claim() == ([], False)
    assert worker.lanes.claims == 0


async def test_a_job_that_has_room_is_claimed_in_the_common_order(
    worker: Worker, store: JobStore
) -> None:
    early = [new_job(due=-10, job_type=OWN_PROCESS) for _ in range(3)]
    await store.insert([*early, *(new_job(due=-5) for _ in range(9))])
    for round_ in (1, 2, 3):
        assert (await worker.claim())[0] == [OWN_PROCESS, PLAIN]
        # While the process is taken, the others do without.
        assert (await worker.claim())[0] == [PLAIN, PLAIN]
        assert worker.lanes.claims == round_
        worker.end(OWN_PROCESS)


async def test_one_that_comes_to_an_idle_worker_is_claimed_at_once(
    worker: Worker, store: JobStore, clock: MovingClock
) -> None:
    assert (await worker.claim())[0] == []
    await store.insert([new_job(job_type=OWN_PROCESS)])
    # As after a wake-up, however recently something was read.
    worker.lanes.may_have_changed = True
    assert await worker.claim() == ([], True)
    assert (await worker.claim())[0] == [OWN_PROCESS]
    worker.end(OWN_PROCESS)
    assert (await worker.claim())[0] == []
    assert worker.lanes.next_due() is None
    later = new_job(job_type=OWN_PROCESS, due=60)
    await store.insert([later])
    worker.lanes.may_have_changed = True
    assert await worker.claim() == ([], False)
    assert worker.lanes.next_due() == later.execute_at
    clock.advance(timedelta(seconds=60))
    assert (await worker.claim())[0] == [OWN_PROCESS]


def _types_of(claimed: list[ClaimedJob]) -> list[str]:
    return [each.job_type for each in claimed]
