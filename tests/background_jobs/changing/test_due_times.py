"""A pending job is run now, or its time is moved, by the contract and by HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from background_jobs.flow.noted_jobs import InTurns, Item, Noted, OnePerTenant, Seen, host
from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from background_jobs.workflows.nodes import add, workflows_host
from modhost import new_id
from modhost_background_jobs.contracts import (
    InvalidJobData,
    JobConflict,
    JobId,
    JobNotFound,
    JobState,
)

pytestmark = pytest.mark.anyio

VIEW, MANAGE, AUDIT = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs", "Host.ViewAudit"
LATER = datetime.now(UTC) + timedelta(days=1)


async def test_a_job_that_is_due_later_runs_now(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.schedule(ReportingJob, LATER, Work())
        client = await jobs.host.client(VIEW, MANAGE, AUDIT)
        answer = await client.post(f"/api/jobs/{job_id}/run-now")
        assert (answer.status_code, answer.json()["state"]) == (200, "Pending")
        assert (await jobs.ends(job_id)).state is JobState.COMPLETED
        again = await client.post(f"/api/jobs/{job_id}/run-now")
        assert again.status_code == 409
        assert again.json()["detail"] == (
            f"The job {job_id} is Completed and cannot be run now; only a pending job can."
        )
        audit = (await client.get("/api/audit", params={"subject": f"job:{job_id}"})).json()
    assert [(each["action"], each["outcome"]) for each in audit["items"]] == [
        ("jobs.run_now", "refused"),
        ("jobs.run_now", "done"),
    ]


async def test_a_job_of_a_lane_that_is_due_later_runs_now(database_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen) as jobs:
        fair = await jobs.scheduling.schedule(InTurns, LATER, Item(name="fair", tenant="a"))
        urgent = await jobs.scheduling.schedule(Noted, LATER, Item(name="urgent"), priority=5)
        for job_id in (fair, urgent):
            await jobs.scheduling.run_now(job_id)
            await jobs.ends(job_id)


async def test_a_job_that_waits_for_its_next_attempt_runs_now(database_url: str) -> None:
    async with jobs_host(database_url, retry_base_delay="1h") as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work(failures=1))
        await jobs.until(job_id, lambda job: job.state is JobState.PENDING and bool(job.attempts))
        await jobs.scheduling.run_now(job_id)
        ended = await jobs.ends(job_id)
    assert (ended.state, ended.retry_count, len(ended.attempts)) == (JobState.COMPLETED, 1, 2)


async def test_a_job_that_is_due_keeps_its_place_when_it_is_run_now(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        due_at = (await jobs.detail(job_id)).execute_at
        assert (await jobs.scheduling.run_now(job_id)).execute_at == due_at


async def test_a_job_that_waits_for_others_is_not_run_now_but_moved(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Waiting") as workflow:
            gate = add(workflow, "gate", waits=True)
            after = add(workflow, "after", after=gate)
        with pytest.raises(JobConflict, match="while it waits for other jobs: let those finish"):
            await jobs.scheduling.run_now(after.job_id)
        await jobs.scheduling.reschedule(after.job_id, LATER)
        jobs.probe.gate.set()
        await jobs.reaches(gate.job_id, JobState.COMPLETED)
        waiting = await jobs.detail(after.job_id)
        assert (waiting.state, waiting.execute_at) == (JobState.PENDING, LATER)
        await jobs.scheduling.run_now(after.job_id)
        await jobs.ends(after.job_id)


async def test_a_running_job_has_no_time_to_move(database_url: str) -> None:
    async with jobs_host(database_url) as jobs:
        job_id = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(job_id, JobState.RUNNING)
        client = await jobs.host.client(MANAGE)
        body = {"execute_at": LATER.isoformat()}
        now = await client.post(f"/api/jobs/{job_id}/run-now")
        moved = await client.post(f"/api/jobs/{job_id}/reschedule", json=body)
        assert (now.status_code, moved.status_code) == (409, 409)
        assert "is Running and cannot be rescheduled; only a pending job" in moved.json()["detail"]
        jobs.probe.gate.set()
        await jobs.ends(job_id)


async def test_a_job_is_moved_to_later_and_back(database_url: str) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        client = await jobs.host.client(MANAGE)
        body = {"execute_at": LATER.isoformat()}
        answer = await client.post(f"/api/jobs/{job_id}/reschedule", json=body)
        assert answer.status_code == 200
        assert datetime.fromisoformat(answer.json()["execute_at"]) == LATER
        before = datetime.now(UTC) - timedelta(seconds=5)
        long_ago = datetime(1999, 1, 1, tzinfo=UTC)
        assert (await jobs.scheduling.reschedule(job_id, long_ago)).execute_at > before
    async with jobs_host(database_url) as jobs:
        await jobs.ends(job_id)


async def test_a_job_that_a_limit_holds_back_is_held_at_its_new_time(database_url: str) -> None:
    seen = Seen()
    async with host(database_url, seen) as jobs:
        ids = [
            await jobs.scheduling.enqueue(OnePerTenant, Item(name=str(number), tenant="a"))
            for number in range(3)
        ]
        await seen.until(lambda: len(seen.order) == 1)
        await jobs.scheduling.reschedule(ids[1], LATER)
        seen.gate.set()
        await jobs.ends(ids[2])
        assert (await jobs.detail(ids[1])).state is JobState.PENDING
        await jobs.scheduling.run_now(ids[1])
        await jobs.ends(ids[1])
    assert (seen.order, seen.most["a"]) == (["0", "2", "1"], 1)


async def test_a_due_job_that_is_moved_takes_its_turn_when_it_is_due_again(
    database_url: str,
) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen, mode="Producer") as jobs:
        first, second = [
            await jobs.scheduling.enqueue(InTurns, Item(name=name, tenant="a")) for name in "ab"
        ]
        await jobs.scheduling.reschedule(first, LATER)
    async with host(database_url, seen) as jobs:
        await jobs.ends(second)
        assert (await jobs.detail(first)).state is JobState.PENDING
        await jobs.scheduling.run_now(first)
        await jobs.ends(first)
    assert seen.order == ["b", "a"]


@pytest.mark.parametrize("given", ["2026-11-29T15:00:00", "tomorrow", None])
async def test_a_new_time_has_a_zone(sqlite_url: str, given: str | None) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(ReportingJob, Work())
        client = await jobs.host.client(MANAGE)
        answer = await client.post(f"/api/jobs/{job_id}/reschedule", json={"execute_at": given})
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == ["execute_at"]
        with pytest.raises(InvalidJobData):
            await jobs.scheduling.reschedule(job_id, LATER.replace(tzinfo=None))
        far = await client.post(
            f"/api/jobs/{job_id}/reschedule", json={"execute_at": "9998-01-01T00:00:00Z"}
        )
        assert far.status_code == 422
        assert far.json()["detail"].endswith("; give a time of the years 1970 to 8999.")


async def test_an_unknown_job_is_neither_run_nor_moved_nor_deleted(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, mode="Producer") as jobs:
        client = await jobs.host.client(MANAGE)
        for job_id in (new_id(), "no-uuid"):
            path = f"/api/jobs/{job_id}"
            answers = [
                await client.post(f"{path}/run-now"),
                await client.post(f"{path}/reschedule", json={"execute_at": LATER.isoformat()}),
                await client.delete(path),
            ]
            assert [answer.status_code for answer in answers] == [404] * 3
        with pytest.raises(JobNotFound):
            await jobs.scheduling.run_now(JobId(new_id()))
