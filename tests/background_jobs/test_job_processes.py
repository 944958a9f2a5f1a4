"""Jobs with `executor = "process"`."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import anyio
import pytest
from pydantic import SecretStr

from background_jobs.hosts import computing_host
from background_jobs.process_module import (
    AwaitingJob,
    ComputingJob,
    DeafJob,
    DeafTaskJob,
    DeafTimeoutJob,
    FailingJob,
    LitteringJob,
    MeetingJob,
    PoliteJob,
    PrintingJob,
    Task,
    WhereJob,
)
from modhost import Module, ServiceCollection, hookimpl
from modhost.checks import StartupError
from modhost.clock import SystemClock
from modhost.testing import running_host
from modhost_background_jobs.contracts import (
    JobDetail,
    JobExecutionContext,
    JobFilter,
    JobState,
    ModuleJob,
    add_module_job,
)
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.queue.records import Released
from modhost_background_jobs.queue.store import JobStore
from processes.living import lives

pytestmark = pytest.mark.anyio


async def test_a_job_runs_elsewhere_with_its_services_and_all_it_reports_is_kept(
    database_url: str, tmp_path: Path
) -> None:
    async with computing_host(database_url, tmp_path) as jobs:
        task = Task(name="task", secret=SecretStr("kept-to-itself"))
        job = await jobs.ends(await jobs.scheduling.enqueue(ComputingJob, task))
        followers = await jobs.querying.get_jobs(JobFilter(job_type="computing.PrintingJob"))
        follower = await jobs.ends(followers.items[0].id)
    assert job.state is JobState.COMPLETED, job.error
    assert (job.progress_percentage, job.progress_message) == (100, "Done")
    *lines, told, clamped = [line.message for line in job.logs]
    assert lines == [f"line {number}" for number in range(300)]
    pid = (tmp_path / "closed").read_text()
    assert int(pid) != os.getpid()
    assert told == f"task 1 in {pid}, secret ***"
    assert clamped == "Progress of 101 is outside of 0 to 100; 100 is shown."
    assert [(each.number, each.error) for each in job.attempts] == [(1, None)]
    assert follower.state is JobState.COMPLETED


async def test_what_a_job_prints_harms_nobody_and_a_process_is_used_again(
    database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with computing_host(database_url, tmp_path) as jobs:
        ended = [await jobs.ends(await jobs.scheduling.enqueue(PrintingJob)) for _ in range(3)]
    assert {job.state for job in ended} == {JobState.COMPLETED}
    assert len({job.logs[0].message for job in ended}) == 1
    told = capfd.readouterr()
    assert "printed by a job" in told.err
    assert "printed by a child" in told.err
    assert told.out == ""


async def test_two_jobs_compute_at_the_same_time(database_url: str, tmp_path: Path) -> None:
    async with computing_host(database_url, tmp_path) as jobs:
        first = await jobs.scheduling.enqueue(MeetingJob, Task(name="a"))
        second = await jobs.scheduling.enqueue(MeetingJob, Task(name="b"))
        ended = [await jobs.ends(first), await jobs.ends(second)]
    assert [job.state for job in ended] == [JobState.COMPLETED] * 2
    pids = {int(job.logs[0].message) for job in ended}
    assert len(pids) == 2
    assert os.getpid() not in pids


async def test_a_job_that_never_looks_is_killed_when_its_time_is_over(
    database_url: str, tmp_path: Path
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="100ms") as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(DeafTimeoutJob))
        await gone(tmp_path, "pid")
    assert job.state is JobState.FAILED
    assert job.error == "timed out: the attempt took longer than 0.3 s."
    assert [line.message for line in job.logs] == ["computing"]


@pytest.mark.parametrize("kind", [DeafJob, DeafTaskJob])
async def test_a_job_that_never_looks_is_killed_when_it_is_cancelled(
    database_url: str, tmp_path: Path, kind: type[ModuleJob]
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="100ms") as jobs:
        job_id = await jobs.scheduling.enqueue(kind)
        await written(tmp_path, "pid" if kind is DeafJob else "child")
        await jobs.scheduling.cancel(job_id)
        job = await jobs.ends(job_id)
        await gone(tmp_path, "pid")
        if kind is DeafTaskJob:
            await gone(tmp_path, "child")
        # The slot is free, and the next job has a process.
        assert (await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))).state.is_final
    assert (job.state, job.error) == (JobState.CANCELLED, None)


@pytest.mark.parametrize(
    ("kind", "told"), [(PoliteJob, "stopping politely"), (AwaitingJob, "cancelled")]
)
async def test_a_job_that_stops_when_it_is_asked_to_is_not_killed(
    database_url: str, tmp_path: Path, kind: type[ModuleJob], told: str
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="1h") as jobs:
        job_id = await jobs.scheduling.enqueue(kind)
        pid = await written(tmp_path, "pid")
        await jobs.scheduling.cancel(job_id)
        job = await jobs.ends(job_id)
        next_job = await jobs.ends(await jobs.scheduling.enqueue(PrintingJob))
    assert job.state is JobState.CANCELLED
    assert [line.message for line in job.logs] == [told]
    assert next_job.logs[0].message == f"in {pid}"


async def test_a_job_whose_lease_is_lost_is_killed_at_once(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with computing_host(database_url, tmp_path, kill_grace="1h") as jobs:
        job_id = await jobs.scheduling.enqueue(DeafJob)
        await written(tmp_path, "pid")
        async with jobs.host.scope() as scope:
            store = await scope.get(JobStore)
            (lease,) = await store.leases((await jobs.detail(job_id)).worker or "")
            later = datetime.now(UTC) + timedelta(hours=1)
            await store.release([Released(lease, later, "taken away", spent=False)], later)
        await gone(tmp_path, "pid")
    async with computing_host(database_url, tmp_path, mode="Producer") as after:
        job = await after.detail(job_id)
    assert (job.state, job.retry_count) == (JobState.PENDING, 0)
    assert [each.error for each in job.attempts] == ["taken away"]
    assert f"lost lease: the claim {lease.fence} of job {job_id}" in caplog.text


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
        pids = [(await jobs.ends(job_id)).logs[0].message for job_id in ids]
        assert not lives(int(pids[0]))
    assert pids == [pids[0]] * 200 + [pids[-1]] * 2
    assert pids[0] != pids[-1]


async def test_what_a_job_left_behind_reports_is_not_taken_for_that_of_the_next(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with computing_host(sqlite_url, tmp_path, max_concurrency=1) as jobs:
        first = await jobs.ends(await jobs.scheduling.enqueue(LitteringJob))
        for _ in range(5):
            (tmp_path / "littered").unlink(missing_ok=True)
            pid = await written(tmp_path, "littered")
            job = await jobs.ends(await jobs.scheduling.enqueue(WhereJob))
            assert [line.message for line in job.logs] == [str(pid)]
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


async def test_errors_mean_what_they_mean_elsewhere(database_url: str, tmp_path: Path) -> None:
    async def run(first: str, attempts: int = 3) -> JobDetail:
        (tmp_path / "failed").unlink(missing_ok=True)
        task = Task(first=first, secret=SecretStr("kept-to-itself"))
        job_id = await jobs.scheduling.enqueue(FailingJob, task, max_attempts=attempts)
        return await jobs.ends(job_id)

    async with computing_host(database_url, tmp_path) as jobs:
        raised = await run("raise")
        spent = await run("raise", attempts=1)
        permanent = await run("permanent")
        picky = await run("picky")
        snoozed = await run("snooze")
        misfit = await jobs.ends(await jobs.scheduling.enqueue(FailingJob, {"name": ["no text"]}))
    assert (raised.state, raised.retry_count) == (JobState.COMPLETED, 1)
    told = raised.attempts[0].error or ""
    assert told.startswith("ValueError: no luck with ***\n\nTraceback")
    assert "process_module.py" in told
    assert "kept-to-itself" not in told
    assert (spent.state, spent.error) == (JobState.FAILED, told)
    assert (permanent.state, len(permanent.attempts)) == (JobState.FAILED, 1)
    assert (picky.state, len(picky.attempts)) == (JobState.FAILED, 1)
    assert (snoozed.state, snoozed.retry_count) == (JobState.COMPLETED, 0)
    assert snoozed.attempts[0].error == "busy elsewhere"
    assert (misfit.state, len(misfit.attempts)) == (JobState.FAILED, 1)
    assert "does not fit Task" in (misfit.error or "")


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
        "Mend the module, or leave it out by [host.modules] disabled."
    )
    assert again.state is JobState.COMPLETED


async def test_shutdown_kills_what_does_not_stop_and_hands_it_back(
    database_url: str, tmp_path: Path
) -> None:
    async with computing_host(database_url, tmp_path, shutdown_grace="200ms") as jobs:
        job_id = await jobs.scheduling.enqueue(DeafJob)
        await written(tmp_path, "pid")
    await gone(tmp_path, "pid")
    async with computing_host(database_url, tmp_path, mode="Producer") as later:
        job = await later.detail(job_id)
    assert (job.state, job.retry_count) == (JobState.PENDING, 0)
    assert job.attempts[0].error == "handed back: its worker shut down."
    assert [line.message for line in job.logs] == ["computing"]


async def test_an_unknown_executor_stops_the_start(sqlite_url: str) -> None:
    class OddJob(ModuleJob):
        executor = "thread"  # type: ignore[assignment]

        async def execute(self, context: JobExecutionContext) -> None: ...

    class OddModule(Module):
        name: ClassVar[str] = "odd"
        requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

        @hookimpl
        def configure_services(self, services: ServiceCollection) -> None:
            add_module_job(services, OddJob)

    config = {"host": {"database_url": sqlite_url}}
    with pytest.raises(StartupError) as refused:
        async with running_host([BackgroundJobsModule(), OddModule()], config=config):
            pass
    (finding,) = refused.value.findings
    assert (finding.rule.code, finding.module) == ("MH601", "odd")
    assert "OddJob is 'thread'" in finding.detail


class SkippingClock(SystemClock):
    """The real time, some seconds ahead."""

    skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped


async def written(folder: Path, name: str) -> int:
    """Wait until a job has written a process id, and return it."""
    with anyio.fail_after(30):
        while not (folder / name).exists():
            await anyio.sleep(0.01)
    return int((folder / name).read_text())


async def gone(folder: Path, name: str) -> None:
    """Wait until the process is gone whose id a job has written."""
    pid = await written(folder, name)
    with anyio.fail_after(10):
        while lives(pid):
            await anyio.sleep(0.01)
