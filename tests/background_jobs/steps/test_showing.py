"""Where people see the steps of a job, and how long they are kept."""

from datetime import timedelta

import anyio
import pytest

from background_jobs.commands import Commands
from background_jobs.steps.conftest import StepHost
from background_jobs.steps.step_jobs import Order, Steps, WaitsInSteps
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.job import InspectedJob, JobInspection
from modhost_background_jobs.queries import records
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.storage.retention import RetentionStore

pytestmark = pytest.mark.anyio
NAMES = ["charge", "compute", "nothing", "book"]


async def test_the_page_the_api_and_the_command_show_the_steps(
    steps: StepHost, commands: Commands
) -> None:
    job_id = await steps.jobs.scheduling.enqueue(Steps, Order(failures=1))
    await steps.jobs.reaches(job_id, JobState.COMPLETED)
    client = await steps.jobs.host.client("BackgroundJobs.ViewJobs")
    answer = (await client.get(f"/api/jobs/{job_id}")).json()
    assert [step.keys() for step in answer["steps"]] == [{"name", "started_at", "ended_at"}] * 4
    assert [step["name"] for step in answer["steps"]] == NAMES
    assert all(step["started_at"] <= step["ended_at"] for step in answer["steps"])
    assert [attempt["number"] for attempt in answer["attempts"]] == [1, 2]
    client.headers["Accept"] = "text/html"
    page = (await client.get(f"/admin/jobs/{job_id}")).text
    assert [name for name in NAMES if f"<strong>{name}</strong>" in page] == NAMES
    assert "&#34;token&#34;: &#34;***&#34;" in page
    assert "very secret" not in page
    printed = await commands.done("show", str(job_id))
    assert "steps" in printed
    assert all(name in printed for name in NAMES)


@pytest.mark.parametrize("shown", [records.STEPS_SHOWN, 1])
async def test_a_page_that_is_open_shows_the_latest_steps_when_they_are_done(
    steps: StepHost, monkeypatch: pytest.MonkeyPatch, shown: int
) -> None:
    monkeypatch.setattr(records, "STEPS_SHOWN", shown)
    job_id = await steps.jobs.scheduling.enqueue(WaitsInSteps, Order())
    await steps.jobs.probe.until(lambda: WaitsInSteps.calls["thread"] == 1)
    inspection = await steps.jobs.service(JobInspection)
    known: dict[object, InspectedJob] = {}
    seen: list[list[str]] = []
    with anyio.fail_after(20):
        while not seen or seen[-1][-1:] != ["task"]:
            known |= await inspection.follow([job_id], known)  # type: ignore[arg-type]
            names = [step.name for step in known[job_id].steps]
            if names not in seen:
                seen.append(names)
            (steps.jobs.probe.gate if names else steps.jobs.probe.thread_gate).set()
            await anyio.sleep(0.02)
    assert seen == [[], ["thread"], ["thread", "task"][-shown:]]


async def test_steps_are_deleted_with_their_job_and_no_others(steps: StepHost) -> None:
    await steps.jobs.ends(await steps.jobs.scheduling.enqueue(Steps, Order()))
    waiting = await steps.jobs.scheduling.enqueue(WaitsInSteps, Order())
    steps.jobs.probe.thread_gate.set()
    await steps.jobs.probe.until(lambda: WaitsInSteps.calls["task"] == 1)
    assert sorted(await steps.stored()) == sorted([*NAMES, "thread"])
    clock = await steps.jobs.service(QueueClock)
    retention = await steps.jobs.service(RetentionStore)
    later = clock.now() + timedelta(hours=1)
    assert await retention.prune(JobState.COMPLETED, later, 100) == 1
    assert await steps.stored() == ["thread"]
    assert (await steps.jobs.detail(waiting)).state is JobState.RUNNING
