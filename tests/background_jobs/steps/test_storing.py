"""Steps and checkpoints in the database: fenced, and stored once."""

import pytest

from background_jobs.support import claim_one, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, Lease, LogLine, ProgressUpdate
from modhost_background_jobs.model.steps import Checkpoint, SavedStep, StepRow
from modhost_background_jobs.queries.details import JobDetailReader
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio

STEP = StepRow("charge", 1, START, START, "[1]")


@pytest.fixture
async def lease(store: JobStore) -> Lease:
    await store.insert([new_job()])
    return (await claim_one(store)).lease


async def test_a_step_is_stored_once(store: JobStore, lease: Lease) -> None:
    assert await store.save_step(lease, STEP) == SavedStep(is_held=True, is_new=True)
    again = StepRow("charge", 1, START, START, "[2]")
    assert await store.save_step(lease, again) == SavedStep(is_held=True, is_new=False)
    assert await store.read_steps(lease.job_id) == {"charge": "[1]"}


async def test_steps_and_checkpoints_of_a_void_lease_are_not_stored(
    database: Database, store: JobStore, lease: Lease
) -> None:
    for void in (Lease(lease.job_id, lease.fence + 1), Lease(lease.job_id, 0)):
        assert not (await store.save_step(void, STEP)).is_held
        async with database.session() as session:
            saved = await store.save_step_in(await session.connection(), void, STEP)
        assert not saved.is_held
        assert await store.save_checkpoints([Checkpoint(void, "1")]) == set()
    assert await store.read_steps(lease.job_id) == {}


async def test_a_step_in_a_session_goes_with_its_transaction(
    database: Database, store: JobStore, lease: Lease
) -> None:
    async def save(error: Exception | None) -> None:
        async with database.session() as session:
            saved = await store.save_step_in(await session.connection(), lease, STEP)
            assert saved == SavedStep(is_held=True, is_new=True)
            if error is not None:
                raise error

    with pytest.raises(OSError, match="cut off"):
        await save(OSError("cut off"))
    assert await store.read_steps(lease.job_id) == {}
    await save(None)
    assert await store.read_steps(lease.job_id) == {"charge": "[1]"}


async def report(store: JobStore, lease: Lease, *messages: str) -> None:
    """Store what an attempt says last, of which one line is kept."""
    progress = ProgressUpdate(lease, 50, messages[-1], START)
    lines = [LogLine(lease, number, START, text) for number, text in enumerate(messages)]
    await store.save_last_reports([progress], lines, 1)


@pytest.mark.parametrize("state", [JobState.COMPLETED, JobState.FAILED])
async def test_an_attempt_reports_after_its_own_end_and_after_no_other(
    store: JobStore, details: JobDetailReader, lease: Lease, state: JobState
) -> None:
    await store.insert([new_job()])
    other = (await claim_one(store)).lease
    await store.end([Ended(lease, state), Ended(other, JobState.COMPLETED)], START)
    for void in (Lease(lease.job_id, lease.fence + 1), Lease(lease.job_id, 0)):
        await report(store, void, "of another")
        assert await store.completed([void]) == set()
    await report(store, lease, "first", "last")
    is_completed = state is JobState.COMPLETED
    assert await store.completed([lease]) == ({lease.job_id} if is_completed else set())
    found, untouched = await details.find(lease.job_id), await details.find(other.job_id)
    assert found is not None
    assert untouched is not None
    said = ["last"] if is_completed else []
    assert [line.message for line in found.log] == said
    assert (found.row.progress_percentage, found.row.progress_message) == (
        (50, "last") if is_completed else (0, None)
    )
    assert (untouched.row.progress_percentage, untouched.log) == (0, [])
