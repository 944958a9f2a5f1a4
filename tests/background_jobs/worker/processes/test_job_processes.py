"""Jobs with `executor = "process"`."""

import os
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import SecretStr

from background_jobs.hosts import computing_host
from background_jobs.process_module import (
    ComputingJob,
    FailingJob,
    MeetingJob,
    PrintingJob,
    Task,
)
from modhost import Module, ServiceCollection, hookimpl
from modhost.checks import StartupError
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
from sweeps import ONE_DATABASE

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
    *lines, reported, clamped = [line.message for line in job.logs]
    assert lines == [f"line {number}" for number in range(300)]
    pid = (tmp_path / "closed").read_text()
    assert int(pid) != os.getpid()
    assert reported == f"task 1 in {pid}, secret ***"
    assert clamped == "Progress of 101 is outside of 0 to 100; 100 is shown."
    assert [(each.number, each.error) for each in job.attempts] == [(1, None)]
    assert follower.state is JobState.COMPLETED


@ONE_DATABASE
async def test_what_a_job_prints_harms_nobody_and_a_process_is_used_again(
    database_url: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with computing_host(database_url, tmp_path) as jobs:
        ended = [await jobs.ends(await jobs.scheduling.enqueue(PrintingJob)) for _ in range(3)]
    assert {job.state for job in ended} == {JobState.COMPLETED}
    assert len({job.logs[0].message for job in ended}) == 1
    reported = capfd.readouterr()
    assert "printed by a job" in reported.err
    assert "printed by a child" in reported.err
    assert reported.out == ""


@ONE_DATABASE
async def test_two_jobs_compute_at_the_same_time(database_url: str, tmp_path: Path) -> None:
    async with computing_host(database_url, tmp_path, process_concurrency=2) as jobs:
        first = await jobs.scheduling.enqueue(MeetingJob, Task(name="a"))
        second = await jobs.scheduling.enqueue(MeetingJob, Task(name="b"))
        ended = [await jobs.ends(first), await jobs.ends(second)]
    assert [job.state for job in ended] == [JobState.COMPLETED] * 2
    pids = {int(job.logs[0].message) for job in ended}
    assert len(pids) == 2
    assert os.getpid() not in pids


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
    reported = raised.attempts[0].error or ""
    assert reported.startswith("ValueError: no luck with ***\n\nTraceback")
    assert "process_module.py" in reported
    assert "kept-to-itself" not in reported
    assert (spent.state, spent.error) == (JobState.FAILED, reported)
    assert (permanent.state, len(permanent.attempts)) == (JobState.FAILED, 1)
    assert (picky.state, len(picky.attempts)) == (JobState.FAILED, 1)
    assert (snoozed.state, snoozed.retry_count) == (JobState.COMPLETED, 0)
    assert snoozed.attempts[0].error == "busy elsewhere"
    assert (misfit.state, len(misfit.attempts)) == (JobState.FAILED, 1)
    assert "does not fit Task" in (misfit.error or "")


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
