"""Code in threads enqueues jobs and waits for them: plain `def` jobs and endpoints."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import anyio
import pytest
from anyio import to_thread

from background_jobs.hosts import QUICK
from hosts import host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost.permissions import Permission
from modhost.web import Endpoints
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    Executor,
    InvalidJobData,
    JobExecutionContext,
    JobId,
    JobState,
    ModuleJob,
    UnregisteredJob,
    add_module_job,
)

pytestmark = pytest.mark.anyio

LATER = datetime(2999, 1, 1, tzinfo=UTC)
LONG = timedelta(seconds=30)


class Double(ModuleJob[int, int]):
    async def execute(self, context: JobExecutionContext[int]) -> int:
        return 2 * context.data


class Parent(ModuleJob[list[int], list[str]]):
    """Enqueues others from its thread, and waits for them there."""

    def __init__(self, jobs: BackgroundJobs) -> None:
        self.jobs = jobs.from_thread

    def execute(self, context: JobExecutionContext[list[int]]) -> list[str]:
        ids = self.jobs.enqueue_many(Double, context.data, tags=["child"])
        return [self.jobs.wait(each, LONG).state for each in ids]


class ParentInProcess(Parent):
    executor: ClassVar[Executor] = "process"


class Stuck(Parent):
    """Waits for what never ends."""

    def execute(self, context: JobExecutionContext[list[int]]) -> list[str]:
        self.jobs.wait(self.jobs.schedule(Double, LATER, 1), LONG)
        return []


class Grandparent(Parent):
    """Enqueues from a thread of its own."""

    def execute(self, context: JobExecutionContext[list[int]]) -> list[str]:
        found: list[JobId] = []
        thread = threading.Thread(target=lambda: found.append(self.jobs.enqueue(Double, 1)))
        thread.start()
        thread.join()
        return [self.jobs.wait(each, LONG).state for each in found]


def double(number: int, jobs: BackgroundJobs) -> dict[str, str]:
    """Enqueue from a plain `def`, which runs in a thread."""
    return {"id": str(jobs.from_thread.enqueue(Double, number, priority=5))}


ANY = Permission("Threads.Any", "Anything")


class ThreadsModule(Module):
    name: ClassVar[str] = "threads"
    route_prefix: ClassVar[str] = "/api/threads"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for job in (Double, Parent, ParentInProcess, Stuck, Grandparent):
            add_module_job(services, job)

    @hookimpl
    def configure_permissions(self) -> list[Permission]:
        return [ANY]

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.post("/double/{number}", double, permission=ANY)


async def in_thread(call: Callable[[], object], *, own: bool) -> object:
    """Call something in a thread that anyio knows, or in one that nobody knows."""
    if not own:
        return await to_thread.run_sync(call)
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(call()))
    thread.start()
    await to_thread.run_sync(thread.join)
    return found[0]


@pytest.mark.parametrize("own", [False, True])
async def test_a_thread_does_what_a_task_does(database_url: str, own: bool) -> None:
    options = {"worker_mode": "Consumer", **QUICK}
    async with host_with(database_url, ThreadsModule(), background_jobs=options) as jobs:
        threaded = jobs.scheduling.from_thread

        def work() -> tuple[Any, ...]:
            job_id = threaded.enqueue(Double, 4, queue="own", tags=["t"])
            ended = threaded.wait(job_id, LONG)
            later = threaded.schedule(Double, LATER, 1)
            cancelled = threaded.cancel(later)
            status = threaded.get_status(later)
            return ended, cancelled, status

        found: Any = await in_thread(work, own=own)
        ended, cancelled, status = found
        assert (ended.state, ended.queue, ended.tags) == (JobState.COMPLETED, "own", ("t",))
        assert await jobs.querying.get_result(ended.id, int) == 8
        assert cancelled.state is status.state is JobState.CANCELLED


async def test_the_errors_are_those_of_a_task(sqlite_url: str) -> None:
    async with host_with(sqlite_url, ThreadsModule()) as jobs:
        threaded = jobs.scheduling.from_thread
        wrong: Any = ThreadsModule
        unusable: Any = object()
        with pytest.raises(UnregisteredJob):
            await to_thread.run_sync(lambda: threaded.enqueue(wrong))
        with pytest.raises(InvalidJobData, match="cannot be stored as JSON"):
            await to_thread.run_sync(lambda: threaded.enqueue(Double, unusable))
        job_id = await jobs.scheduling.schedule(Double, LATER, 1)
        with pytest.raises(TimeoutError, match=r"has not ended within 0\.05 s"):
            await to_thread.run_sync(threaded.wait, job_id, timedelta(seconds=0.05))


async def test_on_the_thread_of_the_event_loop_it_says_what_to_write(sqlite_url: str) -> None:
    async with host_with(sqlite_url, ThreadsModule()) as jobs:
        with pytest.raises(RuntimeError) as refusal:
            jobs.scheduling.from_thread.enqueue(Double, 1)
    assert str(refusal.value) == (
        "jobs.from_thread.enqueue was called on the thread of the event loop, which it would block "
        "forever. Write `await jobs.enqueue(...)` here; from_thread is for a plain `def`, which "
        "runs in a thread."
    )


@pytest.mark.parametrize("job", [Parent, Grandparent])
async def test_a_job_in_a_thread_enqueues_and_waits(
    database_url: str, job: type[ModuleJob[list[int], list[str]]]
) -> None:
    await enqueues_and_waits(database_url, job)


async def test_a_job_in_a_process_enqueues_and_waits(sqlite_url: str) -> None:
    await enqueues_and_waits(sqlite_url, ParentInProcess)


async def enqueues_and_waits(database_url: str, job: type[ModuleJob[list[int], list[str]]]) -> None:
    options = {"worker_mode": "Consumer", **QUICK}
    async with host_with(database_url, ThreadsModule(), background_jobs=options) as jobs:
        job_id = await jobs.scheduling.enqueue(job, [1, 2])
        ended = await jobs.ends(job_id)
        assert (ended.state, set(ended.result)) == (JobState.COMPLETED, {"Completed"}), ended.error


async def test_a_job_that_is_asked_to_stop_does_not_wait_any_longer(sqlite_url: str) -> None:
    options = {"worker_mode": "Consumer", **QUICK}
    async with host_with(sqlite_url, ThreadsModule(), background_jobs=options) as jobs:
        job_id = await jobs.scheduling.enqueue(Stuck, [])
        await jobs.reaches(job_id, JobState.RUNNING)
        with anyio.fail_after(15):
            await jobs.scheduling.cancel(job_id)
            assert (await jobs.scheduling.wait(job_id, LONG)).state is JobState.CANCELLED


async def test_an_endpoint_in_a_thread_enqueues_in_the_name_of_its_caller(sqlite_url: str) -> None:
    async with host_with(sqlite_url, ThreadsModule()) as jobs:
        client = await jobs.host.client("Threads.*", "BackgroundJobs.*")
        answer = await client.post("/api/threads/double/21")
        assert answer.status_code == 200
        job_id = answer.json()["id"]
        shown = (await client.get(f"/api/jobs/{job_id}")).json()
        assert (shown["data"], shown["priority"]) == (21, 5)
        page = (await client.get(f"/admin/jobs/{job_id}")).text
    assert "by the token " in page
