"""Services belong to one event loop: a job that calls them from its own is refused, unharmed."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import anyio.from_thread
import pytest

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import Probe, ReportingJob, Work
from modhost import Scope
from modhost.audit import AuditLog
from modhost.database import Database
from modhost.identity import UserService
from modhost.services import ServiceProvider
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobExecutionContext,
    JobFilter,
    JobState,
    ModuleJob,
)

pytestmark = pytest.mark.anyio

Call = Callable[[], Coroutine[Any, Any, Any]]
SENTENCE = "belongs to the event loop of the host, and is used from another one"


class CallingJob(ModuleJob):
    """Calls services by `asyncio.run`, in its thread, and keeps what they raise."""

    def __init__(
        self,
        probe: Probe,
        jobs: BackgroundJobs,
        queries: BackgroundJobsContracts,
        database: Database,
        provider: ServiceProvider,
        users: UserService,
        audit: AuditLog,
        scope: Scope,
    ) -> None:
        self._probe = probe
        self._scope = scope
        self._provider = provider
        self._database = database
        self._calls: dict[str, Call] = {
            "enqueue": lambda: jobs.enqueue(ReportingJob, Work(name="lost")),
            "enqueue_many": lambda: jobs.enqueue_many(ReportingJob, [Work(name="lost")] * 2),
            "get_jobs": lambda: queries.get_jobs(JobFilter()),
            "session": self._use_session,
            "reading": self._use_reading,
            "open_scope": self._open_scope,
            "add_user": lambda: users.add("vera", password="a long one, indeed"),
            "audit": lambda: audit.record("tests.done", "it"),
        }

    def execute(self, context: JobExecutionContext) -> None:
        for name, call in self._calls.items():
            try:
                asyncio.run(call())
            except RuntimeError as error:
                context.log(f"{name}: {error}")
        asyncio.run(asyncio.sleep(0))
        anyio.from_thread.run(self._calls["enqueue"])
        self._probe.finished["calling"] += 1

    async def _use_session(self) -> None:
        async with self._database.session() as session:
            await session.connection()

    async def _use_reading(self) -> None:
        async with self._database.reading() as session:
            await session.connection()

    async def _open_scope(self) -> None:
        async with self._provider.scope():
            pass


class CarelessJob(ModuleJob):
    def __init__(self, jobs: BackgroundJobs) -> None:
        self._jobs = jobs

    def execute(self, context: JobExecutionContext) -> None:
        asyncio.run(self._jobs.enqueue(ReportingJob, Work(name="lost")))


async def test_each_service_refuses_another_loop_and_works_on_its_own(database_url: str) -> None:
    """On SQLite the worker waited for itself; on PostgreSQL it crashed."""
    async with jobs_host(database_url, more_jobs=[CallingJob]) as jobs:
        ended = await jobs.ends(await jobs.scheduling.enqueue(CallingJob, max_attempts=1))
        assert (ended.state, jobs.probe.finished["calling"]) == (JobState.COMPLETED, 1)
        refused = {line.message.partition(":")[0]: line.message for line in ended.logs}
        names = "enqueue enqueue_many get_jobs session reading open_scope add_user audit"
        assert set(refused) == set(names.split())
        assert [each for each in refused.values() if SENTENCE not in each] == []
        assert "anyio.from_thread.run(function, *arguments)" in refused["enqueue"]
        enqueued = await jobs.querying.get_jobs(JobFilter(job_type="tests.ReportingJob"))
        assert enqueued.total_count == 1
        await jobs.ends(enqueued.items[0].id)


async def test_the_job_fails_with_the_sentence(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, more_jobs=[CarelessJob]) as jobs:
        ended = await jobs.ends(await jobs.scheduling.enqueue(CarelessJob, max_attempts=1))
    assert ended.state is JobState.FAILED
    assert str(ended.error).startswith(f"WrongEventLoop: The database {SENTENCE}")
