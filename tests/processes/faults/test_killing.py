"""Workers that are killed by `kill -9`, without a shutdown."""

import signal
from collections import Counter
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

from blocked_completions import completions_blocked
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.maintenance.stalled_jobs import MAX_GAP, StallObserver
from modhost_background_jobs.model import Heartbeat
from modhost_background_jobs.options import BackgroundJobsOptions
from pages.html import Html
from processes.acting import FlakyJob, GatedJob, LethalJob, QuickJob
from processes.deployment import QUICK, Deployment
from processes.host_process import HostProcess
from processes.stage import Act
from sweeps import EXHAUSTIVE

pytestmark = pytest.mark.anyio

STALL_TIMEOUT = timedelta(seconds=20)


@pytest.mark.parametrize("heard_before", [0.0, 2.5, 5.0])
def test_with_default_settings_a_dead_worker_is_found_within_thirty_seconds(
    heard_before: float,
) -> None:
    """By the times of sweeps, since processes are late where a machine stutters.

    It was heard of for the last time some seconds before the first sweep that sees that.
    """
    options = BackgroundJobsOptions()
    interval = options.stall_sweep_interval.total_seconds()
    observer = StallObserver(options.stall_timeout.total_seconds(), MAX_GAP * interval)
    sweeps = count(0.0, interval)
    found_at = next(at for at in sweeps if observer.stalled([Heartbeat("dead", 1)], at))
    assert options.stall_timeout == STALL_TIMEOUT
    assert heard_before + found_at < 30


async def test_with_default_settings_another_worker_has_the_job_after_the_stall_timeout(
    tmp_path: Path, sqlite_url: str, postgres_url: str
) -> None:
    """On both databases at once: almost all of it is waiting for the stall timeout."""
    async with AsyncExitStack() as stack:
        deployments = [
            await stack.enter_async_context(Deployment(tmp_path / name, url).producing())
            for name, url in (("sqlite", sqlite_url), ("postgresql", postgres_url))
        ]
        async with anyio.create_task_group() as group:
            for deployment in deployments:
                group.start_soon(_kill_one_of_two, deployment)


async def _kill_one_of_two(deployment: Deployment) -> None:
    workers = [deployment.start(max_concurrency="1"), deployment.start(max_concurrency="1")]
    job_id = await deployment.enqueue(GatedJob, Act())
    await deployment.ready(*workers)
    (first,) = await deployment.marked("started")
    victim, replacement = sorted(workers, key=lambda worker: worker.pid != first.process)
    while not (await deployment.detail(job_id)).logs:
        await anyio.sleep(0.05)
    victim.kill()
    _, second = await deployment.marked("started", times=2)
    assert second.process == replacement.pid
    deployment.stage.open_gate("job", replacement.pid)
    job = await deployment.ends(job_id)
    assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
    assert job.progress_message == f"in {replacement.pid}"
    assert [attempt.number for attempt in job.attempts] == [1, 1]
    assert "lost worker" in (job.attempts[0].error or "")
    assert f"-{victim.pid}-" in (job.attempts[0].worker or "")
    assert f"-{replacement.pid}-" in (job.attempts[1].worker or "")
    assert (job.logs[0].message, job.logs[-1].message) == (
        f"waiting in {victim.pid}",
        f"waiting in {replacement.pid}",
    )
    died = await _departed(deployment, victim, "died")
    assert died["jobs"] == 1
    heard, left = (datetime.fromisoformat(died[name]) for name in ("heartbeat_at", "left_at"))
    assert left - heard >= STALL_TIMEOUT
    replacement.signal(signal.SIGTERM)
    assert await replacement.exit_code() == 0
    assert (await _departed(deployment, replacement, "stopped"))["jobs"] == 0


async def _departed(deployment: Deployment, worker: HostProcess, how: str) -> dict[str, Any]:
    """Wait until a worker has left in a way, by the API and on the page, and return it."""
    client = await deployment.jobs.host.client("BackgroundJobs.ViewJobs")
    found: list[dict[str, Any]] = []
    with anyio.fail_after(10):
        while not found:
            rows = (await client.get("/api/jobs/workers/departed")).json()
            found = [each for each in rows if each["process"] == worker.pid]
    assert found[0]["departure"] == how
    assert worker.pid not in [
        each["process"] for each in (await client.get("/api/jobs/workers")).json()
    ]
    page = (await client.get("/admin/jobs/workers", headers={"Accept": "text/html"})).text
    line = page.partition(f'data-key="departed-{found[0]["name"]}"')[2].partition("</tr>")[0]
    assert how in Html(line).text.lower()
    return found[0]


async def test_a_job_that_takes_three_workers_down_is_handed_to_no_fourth(
    deployment: Deployment,
) -> None:
    workers = [deployment.start(**QUICK) for _ in range(4)]
    await deployment.ready(*workers)
    job = await deployment.ends(await deployment.enqueue(LethalJob, Act()))
    assert job.state is JobState.FAILED
    assert "quarantined: 3 workers died while they ran this job" in (job.error or "")
    dead = [mark.process for mark in deployment.marks("started")]
    assert len(set(dead)) == 3
    (survivor,) = [worker for worker in workers if worker.pid not in dead]
    await deployment.ends(await deployment.enqueue(QuickJob, Act(name="next")))
    assert deployment.marks("started", "next")[0].process == survivor.pid
    assert len(deployment.marks("started", "job")) == 3


@pytest.mark.parametrize("jobs", [120, pytest.param(300, marks=EXHAUSTIVE)])
async def test_jobs_with_failures_and_long_logs_survive_a_crash_and_a_new_start(
    deployment: Deployment, jobs: int
) -> None:
    worker = await deployment.start(**QUICK, progress_flush_batch_size="7").ready()
    acts = [Act(name=f"job-{n}", failures=n % 3, lines=20) for n in range(jobs)]
    # However late the kill comes, one of them has not finished.
    deployment.stage.hold(acts[-1].name)
    ids = await deployment.enqueue_many(FlakyJob, acts)
    await deployment.marked("finished", times=jobs // 3)
    worker.kill()
    deployment.stage.let_go(acts[-1].name)
    assert await deployment.count(JobState.COMPLETED) < len(ids)
    deployment.start(**QUICK)
    await deployment.all_completed(len(ids))
    for job_id, act in zip(ids, acts, strict=True):
        job = await deployment.detail(job_id)
        assert job.retry_count == act.failures
        last = [line.message for line in job.logs][-act.lines :]
        assert [line.rpartition(" ")[0] for line in last] == [
            f"attempt {act.failures + 1} line {number}" for number in range(act.lines)
        ]


async def test_a_crash_before_ends_are_stored_runs_those_jobs_again(
    deployment: Deployment, database_url: str
) -> None:
    settings = QUICK | {"max_concurrency": "60"}
    worker = await deployment.start(**settings).ready()
    acts = [Act(name=f"job-{n}") for n in range(60)]
    await deployment.enqueue_many(GatedJob, acts)
    await deployment.marked("started", times=len(acts))
    async with completions_blocked(database_url):
        _open_gates(deployment, acts, worker.pid)
        await deployment.marked("finished", times=len(acts))
        worker.kill()
    assert await deployment.count(JobState.COMPLETED) == 0
    replacement = deployment.start(**settings)
    _open_gates(deployment, acts, replacement.pid)
    await deployment.all_completed(len(acts))
    started = Counter((mark.name, mark.process) for mark in deployment.marks("started"))
    assert started == {
        (act.name, process): 1 for act in acts for process in (worker.pid, replacement.pid)
    }


def _open_gates(deployment: Deployment, acts: list[Act], process: int) -> None:
    for act in acts:
        deployment.stage.open_gate(act.name, process)
