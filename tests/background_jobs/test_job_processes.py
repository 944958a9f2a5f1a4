"""Jobs with `executor = "process"`."""

import os
from pathlib import Path

import pytest

from background_jobs.hosts import computing_host
from background_jobs.process_module import ComputingJob, MeetingJob, PrintingJob, Task
from modhost_background_jobs.contracts import JobFilter, JobState

pytestmark = pytest.mark.anyio


async def test_a_job_runs_elsewhere_with_its_services_and_all_it_reports_is_kept(
    database_url: str, tmp_path: Path
) -> None:
    async with computing_host(database_url, tmp_path) as jobs:
        task = Task(name="task", secret="kept-to-itself")
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
