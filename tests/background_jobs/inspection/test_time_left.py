"""The time that a running job may still take."""

from datetime import timedelta
from typing import Any

import pytest

from background_jobs.support import claim_one, new_job
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.timeline import time_left
from modhost_background_jobs.model import JobRow, ProgressUpdate, Released
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.columns import NEW
from moving_clock import START

pytestmark = pytest.mark.anyio


def at(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)


def running(done: int, reported: float | None) -> JobRow:
    job = {name: getattr(new_job(), name) for name in NEW if name != "data"}
    return JobRow(
        **job,
        state=JobState.RUNNING,
        started_at=START,
        completed_at=None,
        cancel_requested_at=None,
        attempt=1,
        attempts_left=2,
        fence=1,
        rescues=0,
        worker="w1",
        progress_percentage=done,
        progress_message=None,
        progress_at=None if reported is None else at(reported),
        error=None,
        on_hold=False,
    )


@pytest.mark.parametrize(
    ("done", "reported", "now", "words"),
    [
        (25, 240, 240, "about 12 min"),
        (25, 240, 480, "about 8 min"),
        (25, 240, 940, "about 20 s"),
        (25, 240, 958, "a few seconds"),
        (25, 240, 970, None),
        (10, 3600, 3600, "about 9 h"),
        (1, 240, 240, None),
        (50, 4, 4, None),
        (100, 240, 240, None),
        (25, None, 240, None),
    ],
)
def test_it_falls_while_nothing_new_is_reported(
    done: int, reported: float | None, now: float, words: str | None
) -> None:
    """It rose from 12 to 20 minutes while a job went on between two reports."""
    assert time_left(running(done, reported), at(now)) == words


async def test_a_percentage_counts_from_its_first_report_in_the_attempt(
    store: JobStore, listing: JobListing
) -> None:
    await store.insert([new_job()])
    first = (await claim_one(store)).lease

    async def reported_at() -> Any:
        row = await listing.find(first.job_id)
        assert row is not None
        return row.progress_at

    await store.save_progress([ProgressUpdate(first, 40, "a", at(10))])
    assert await reported_at() == at(10)
    await store.save_progress([ProgressUpdate(first, 40, "b", at(20))])
    assert await reported_at() == at(10)
    await store.save_progress([ProgressUpdate(first, 41, "c", at(30))])
    assert await reported_at() == at(30)
    await store.release([Released(first, at(31), "no", spent=True)], at(31))
    second = (await claim_one(store, now=at(60))).lease
    await store.save_progress([ProgressUpdate(second, 41, None, at(70))])
    assert await reported_at() == at(70)
