"""`modhost worker --processes N`: one process that supervises the others."""

import os
import re
import signal

import httpx2
import pytest

from ports import free_port
from processes.acting import GatedJob, NappingJob
from processes.deployment import QUICK, Deployment
from processes.host_process import HostProcess, until
from processes.living import lives
from processes.service_manager import listening
from processes.stage import Act
from scraping import Scrape
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio


def workers(supervisor: HostProcess) -> list[int]:
    """Return the process ids of the workers that have started, in the order of the log."""
    return [int(pid) for pid in re.findall(r"Worker \S+?-(\d+)-\w+ runs", supervisor.log)]


async def test_one_that_is_killed_is_replaced_alone_and_all_stop_together(
    deployment: Deployment,
) -> None:
    supervisor = deployment.start("worker", "--processes", "2", **QUICK)
    await supervisor.logs(r"Worker \S+ runs", times=2)
    first, second = workers(supervisor)
    job = await deployment.enqueue(GatedJob, Act(name="gated"))
    (mark,) = await deployment.marked("started", "gated")
    assert mark.process in (first, second)
    os.kill(mark.process, signal.SIGKILL)
    await supervisor.logs(r"Worker \S+ runs", times=3)
    third = workers(supervisor)[2]
    survivor = second if mark.process == first else first
    assert lives(survivor)
    assert lives(third)
    again = await deployment.marked("started", "gated", times=2)
    assert again[1].process in (survivor, third)
    await deployment.cancel(job)
    await deployment.ends(job)
    naps = [Act(name=f"nap-{number}", seconds=0.05) for number in range(40)]
    for job_id in await deployment.enqueue_many(NappingJob, naps):
        await deployment.ends(job_id)
    supervisor.signal(signal.SIGTERM)
    assert await supervisor.exit_code() == 0, supervisor.log
    assert not lives(survivor)
    assert not lives(third)


@ONE_DATABASE
async def test_a_service_manager_hears_of_all_together_and_of_one_alone(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(monkeypatch) as reports:
        one = deployment.start(**QUICK)
        await reports.arrives("READY=1\nSTATUS=worker: ready")
        await one.ready()
        one.signal(signal.SIGTERM)
        await reports.arrives("STOPPING=1")
        assert await one.exit_code() == 0
        reports.messages.clear()
        supervisor = deployment.start("worker", "--processes", "2", **QUICK)
        await reports.arrives("READY=1\nSTATUS=2 workers: ready")
        assert len(workers(supervisor)) == 2
        supervisor.signal(signal.SIGTERM)
        assert await supervisor.exit_code() == 0, supervisor.log
        await reports.arrives("STOPPING=1")
        assert len(reports.messages) == 2


@ONE_DATABASE
async def test_one_that_cannot_start_anew_ends_no_other(deployment: Deployment) -> None:
    """A configuration that was broken meanwhile stopped the healthy one too."""
    supervisor = deployment.start("worker", "--processes", "2", **QUICK)
    await supervisor.logs(r"Worker \S+ runs", times=2)
    victim, survivor = workers(supervisor)
    (deployment.folder / "host.toml").write_text("[host]\nbinds = 1")
    os.kill(victim, signal.SIGKILL)
    await supervisor.logs(r"Worker process \d ended \(2\); a new one in 30 s")
    await deployment.ends(await deployment.enqueue(NappingJob, Act()))
    (mark,) = deployment.marks("finished")
    assert mark.process == survivor
    supervisor.signal(signal.SIGTERM)
    assert await supervisor.exit_code() == 0, supervisor.log


@ONE_DATABASE
async def test_workers_listen_side_by_side_and_end_with_a_supervisor_that_is_killed(
    deployment: Deployment,
) -> None:
    port = free_port()
    bind = f"127.0.0.1:{port}"
    supervisor = deployment.start("worker", "--processes", "2", host__bind=bind, **QUICK)
    await supervisor.logs(r"Worker \S+ runs", times=2)
    await supervisor.logs(r"health +http", times=2)
    async with httpx2.AsyncClient() as client:
        for each in (port, port + 1):
            answer = await client.get(f"http://127.0.0.1:{each}/metrics")
            assert answer.status_code == 200
            assert Scrape(answer.text).value("modhost_host", role="worker") == 1
    supervisor.signal(signal.SIGKILL)
    for pid in workers(supervisor):
        await until(lambda pid=pid: not lives(pid), "the worker to end")  # type: ignore[misc]


@ONE_DATABASE
async def test_what_cannot_start_is_reported_and_not_tried_again(deployment: Deployment) -> None:
    supervisor = deployment.start("worker", "--processes", "2", max_concurrency="none")
    assert await supervisor.exit_code() == 2
    assert "max_concurrency" in supervisor.log
