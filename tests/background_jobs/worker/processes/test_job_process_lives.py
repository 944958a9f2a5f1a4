"""Processes of jobs: how they start, crash, are used again, and end."""

import os
import resource
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
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
from modhost_background_jobs.worker.processes.pool import ProcessPool
from processes.living import lives
from sweeps import swept

pytestmark = pytest.mark.anyio


@contextmanager
def without_descriptors() -> Iterator[None]:
    """Let this process open no more files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as newest:
        resource.setrlimit(resource.RLIMIT_NOFILE, (newest.fileno() + 1, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


class SkippingClock(SystemClock):
    """The real time, some seconds ahead."""

    skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped


@pytest.mark.parametrize(
    ("first", "error"),
    swept(
        [
            ("exit", "its process exited with status 3."),
            ("system exit", "SystemExit: 4"),
            ("kill", "its process was killed by signal 9 (SIGKILL)."),
            ("segfault", "its process was killed by signal 11 (SIGSEGV)."),
        ],
        always=[("segfault", "its process was killed by signal 11 (SIGSEGV).")],
    ),
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


async def test_a_process_that_is_idle_for_long_ends(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SkippingClock()
    # However long it takes to close what it has open.
    leave_timeout = "modhost_background_jobs.worker.processes.job_process.LEAVE_TIMEOUT"
    monkeypatch.setattr(leave_timeout, 60.0)
    async with computing_host(sqlite_url, tmp_path, clock=clock) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(WhereJob))
        pid = int(job.logs[0].message)
        assert lives(pid)
        pool = await jobs.service(ProcessPool)
        with anyio.fail_after(30):
            while not pool._idle:
                await anyio.sleep(0.05)
            ((process, _),) = pool._idle
            clock.skipped = 61
            while lives(pid):
                await anyio.sleep(0.05)
        # It was asked to, and has closed what it had open.
        assert await process.end() == "exited with status 0"
        job = await jobs.ends(await jobs.scheduling.enqueue(WhereJob))
    assert job.state is JobState.COMPLETED


async def test_a_job_whose_process_cannot_start_waits_and_spends_no_attempt(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each try spent an attempt: jobs failed without having begun."""
    caplog.set_level("DEBUG")
    async with computing_host(sqlite_url, tmp_path, max_attempts=1, max_concurrency=2) as jobs:
        (tmp_path / "broken").touch()
        ids = [await jobs.scheduling.enqueue(PrintingJob) for _ in range(2)]
        with anyio.fail_after(60):
            while caplog.text.count("The start of a process for jobs failed") < 4:
                await anyio.sleep(0.02)
        assert "configure_services raised RuntimeError: broken on purpose" in caplog.text
        assert "No process can be started" in await jobs.health()
        (tmp_path / "broken").unlink()
        for job_id in ids:
            job = await jobs.ends(job_id)
            assert (job.state, job.retry_count, len(job.attempts)) == (JobState.COMPLETED, 0, 1)
        assert "No process can be started" not in await jobs.health()


async def test_a_job_that_waits_for_a_process_can_be_cancelled(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with computing_host(sqlite_url, tmp_path) as jobs:
        (tmp_path / "broken").touch()
        job_id = await jobs.scheduling.enqueue(PrintingJob)
        await jobs.reaches(job_id, JobState.RUNNING)
        await jobs.scheduling.cancel(job_id)
        assert (await jobs.ends(job_id)).state is JobState.CANCELLED


# asyncio leaves a loop half made when it gets no descriptor for it.
@pytest.mark.filterwarnings(
    "ignore:.*BaseEventLoop.__del__:pytest.PytestUnraisableExceptionWarning"
)
async def test_without_a_file_descriptor_left_no_attempt_is_spent(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with computing_host(sqlite_url, tmp_path, max_attempts=1) as jobs:
        with without_descriptors():
            job_id = await jobs.scheduling.enqueue(PrintingJob)
            with anyio.fail_after(60):
                while not await jobs.health():
                    await anyio.sleep(0.05)
        job = await jobs.ends(job_id)
        assert (job.state, len(job.attempts)) == (JobState.COMPLETED, 1)
