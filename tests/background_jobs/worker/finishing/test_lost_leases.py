"""Outcomes of a worker that was taken for dead and lives."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

import pytest

from background_jobs.support import add_worker, attempt_of, claim_one, new_job, seen
from modhost.database import Database
from modhost.events import Events
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, JobTypes, LostLease
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, open_lane_store
from modhost_background_jobs.worker.attempts.outcome import Finished
from modhost_background_jobs.worker.finishing.finisher import OutcomeWriter
from modhost_background_jobs.worker.finishing.in_process import InProcessEnds
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


class ConnectionLostError(Exception):
    may_pass = True


class Failing:
    """A store that raises some errors, one each time, instead of taking rescues back."""

    def __init__(self, store: JobStore, errors: list[Exception]) -> None:
        self._store = store
        self.errors = errors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def take_back_rescues(self, lost: Sequence[LostLease], now: datetime) -> None:
        if self.errors:
            raise self.errors.pop(0)
        await self._store.take_back_rescues(lost, now)


@pytest.mark.parametrize(
    ("errors", "rescues"),
    [
        ([], 0),
        ([ConnectionLostError(), ConnectionLostError()], 0),
        # What does not pass holds up no other.
        ([ValueError("a bug")], 1),
    ],
)
async def test_its_rescues_are_taken_back_though_the_database_fails_just_then(
    store: JobStore,
    database: Database,
    clock: MovingClock,
    errors: list[Exception],
    rescues: int,
) -> None:
    failing = Failing(store, list(errors))
    writer = OutcomeWriter(
        failing,
        open_lane_store(database, clock),
        ProgressBuffer(failing, BackgroundJobsOptions()),
        clock,
        InProcessEnds(cast("Events", None), (), database, JobTypes([])),
    )
    await store.insert([new_job()])
    await add_worker(store, "w2")
    claimed = await claim_one(store, "w2", clock.now())
    assert await store.note_begin(claimed.lease)
    await store.rescue(await seen(store, "w2"), 3, clock.now())
    outcome = Ended(claimed.lease, JobState.COMPLETED, None)
    attempt = attempt_of(claimed)
    attempt.has_stored_begin = True
    stored = await writer.write([Finished(attempt, outcome, clock.now())])
    assert stored.held == set()
    assert failing.errors == []
    await add_worker(store, "next")
    assert (await claim_one(store, "next", clock.now())).rescues == rescues
