"""Processes of jobs: how they start, crash, are used again, and end."""

import os
import signal
from collections import Counter
from pathlib import Path

import anyio
import pytest

from background_jobs.hosts import computing_host
from background_jobs.process_module import (
    FailingJob,
    LitteringJob,
    PrintingJob,
    Task,
    WhereJob,
)
from background_jobs.written_ids import gone, written
from modhost.clock import SystemClock
from modhost_background_jobs.contracts import (
    JobState,
)
from processes.living import lives

pytestmark = pytest.mark.anyio


class SkippingClock(SystemClock):
    """The real time, some seconds ahead."""

    skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped


@pytest.mark.parametrize(
    ("first", "error"),
    [
        ("exit", "its process exited with status 3."),
        ("system exit", "SystemExit: 4"),
        ("kill", "its process was killed by signal 9 (SIGKILL)."),
        ("segfault", "its process was killed by signal 11 (SIGSEGV)."),
    ],
)
async def test_a_process_that_crashes_is_a_failed_attempt(
    sqlite_url: str, tmp_path: Path, first: str, error: str
) -> None:
    async with computing_host(sqlite_url, tmp_path) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(FailingJob, Task(first=first)))
    assert job.state is JobState.COMPLETED
    assert [each.number for each in job.attempts] == [1, 2]
    assert (job.attempts[0].error or "").splitlines()[0] == error
    assert [line.message for line in job.logs] == ["attempt 1", "attempt 2"]


async def test_a_process_that_died_while_it_was_idle_costs_no_attempt(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with computing_host(sqlite_url, tmp_path) as jobs:
        first = await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))
        pid = int(first.logs[0].message.removeprefix("in "))
        os.kill(pid, signal.SIGKILL)
        second = await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))
    assert second.state is JobState.COMPLETED
    assert len(second.attempts) == 1
    assert second.logs[0].message != f"in {pid}"


async def test_a_job_that_is_cancelled_while_its_process_starts_does_not_wait_for_it(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with computing_host(sqlite_url, tmp_path) as jobs:
        (tmp_path / "hold").touch()
        job_id = await jobs.scheduling.enqueue(PrintingJob)
        await written(tmp_path, "starting")
        await jobs.scheduling.cancel(job_id)
        job = await jobs.ends(job_id)
        await gone(tmp_path, "starting")
    assert (job.state, job.error) == (JobState.CANCELLED, None)


async def test_a_process_is_replaced_after_many_jobs(sqlite_url: str, tmp_path: Path) -> None:
    async with computing_host(sqlite_url, tmp_path, max_concurrency=1) as jobs:
        ids = await jobs.scheduling.enqueue_many(WhereJob, [Task()] * 202)
        ended = [await jobs.ends(job_id) for job_id in ids]
        pids = [job.logs[0].message for job in ended]
        assert {job.logs[1].message for job in ended} == {"collects garbage"}
        (full, _), _ = Counter(pids).most_common()
        assert not lives(int(full))
    # Not one after the other: what waits for long in a worker goes behind the rest.
    assert sorted(Counter(pids).values()) == [2, 200]


async def test_what_a_job_left_behind_reports_is_not_taken_for_that_of_the_next(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with computing_host(sqlite_url, tmp_path, max_concurrency=1) as jobs:
        first = await jobs.ends(await jobs.scheduling.enqueue(LitteringJob))
        for _ in range(5):
            (tmp_path / "littered").unlink(missing_ok=True)
            pid = await written(tmp_path, "littered")
            job = await jobs.ends(await jobs.scheduling.enqueue(WhereJob))
            assert [line.message for line in job.logs] == [str(pid), "collects garbage"]
            assert job.progress_message is None
        (tmp_path / "tidy").touch()
    assert str(pid) in [line.message for line in first.logs]


async def test_a_process_that_is_idle_for_long_ends(sqlite_url: str, tmp_path: Path) -> None:
    clock = SkippingClock()
    async with computing_host(sqlite_url, tmp_path, clock=clock) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(WhereJob))
        pid = int(job.logs[0].message)
        assert lives(pid)
        clock.skipped = 61
        with anyio.fail_after(30):
            while lives(pid):
                await anyio.sleep(0.05)
        job = await jobs.ends(await jobs.scheduling.enqueue(WhereJob))
    assert job.state is JobState.COMPLETED


async def test_a_process_that_cannot_start_fails_the_attempt_and_says_why(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with computing_host(sqlite_url, tmp_path, max_attempts=1) as jobs:
        (tmp_path / "broken").touch()
        job = await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))
        (tmp_path / "broken").unlink()
        again = await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))
    assert job.state is JobState.FAILED
    assert job.error == (
        "its process did not start: MH110 Hook failed (module computing, distribution "
        "background_jobs): configure_services raised RuntimeError: broken on purpose. "
        "Fix the module, or leave it out by [host.modules] disabled."
    )
    assert again.state is JobState.COMPLETED
