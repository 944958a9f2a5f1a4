"""What pages read of jobs, where the order matters."""

from datetime import timedelta

import pytest

from background_jobs.support import claim, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, LogLine
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.logs import JobLogs, LogPosition
from modhost_background_jobs.storage import JobStore
from moving_clock import START

pytestmark = pytest.mark.anyio


async def test_a_log_that_is_read_from_far_behind_holds_up_no_other(
    store: JobStore, database: Database
) -> None:
    await store.insert([new_job(), new_job()])
    long, short = [claimed.lease for claimed in await claim(store)]
    lines = [LogLine(long, number, START, f"long {number}") for number in range(30)]
    lines += [LogLine(short, number, START, f"short {number}") for number in range(3)]
    await store.append_logs(lines, 1000)
    begin, middle = LogPosition(long.job_id, -1), LogPosition(long.job_id, lines[19].line)
    other = LogPosition(short.job_id, -1)
    found = await JobLogs(database).after([begin, middle, other], 20)
    reported = {place: [row.message for row in rows] for place, rows in found.items()}
    assert reported == {
        begin: [f"long {number}" for number in range(20)],
        middle: [f"long {number}" for number in range(20, 30)],
        other: ["short 0", "short 1", "short 2"],
    }
    assert await JobLogs(database).after([], 20) == {}


async def test_the_latest_failure_is_the_one_that_failed_last(
    store: JobStore, database: Database
) -> None:
    """Not the one that was created last: a job may fail after hours of retries."""
    await store.insert([new_job(), new_job(), new_job()])
    first, second, third = [claimed.lease for claimed in await claim(store)]
    for minutes, lease, state in (
        (1, second, JobState.FAILED),
        (2, first, JobState.FAILED),
        (3, third, JobState.COMPLETED),
    ):
        await store.end([Ended(lease, state, "error")], START + timedelta(minutes=minutes))
    failures = await JobListing(database).latest_failures(5)
    assert [row.id for row in failures] == [first.job_id, second.job_id]
