"""Connections of a worker that the server terminates as soon as they are there."""

from typing import Any

import anyio
import asyncpg
import pytest
from sqlalchemy.engine import make_url

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ReportingJob, WaitingJob, Work
from modhost.database import PostgresAccess
from modhost_background_jobs.contracts import JobState
from postgres import Postgres

pytestmark = pytest.mark.anyio

SECONDS = 1.0


async def keeps_its_job_and_begins_others(jobs: Jobs) -> None:
    """Check that the job that waits is not run anew, and that another is claimed soon."""
    await jobs.ends(await jobs.scheduling.enqueue(ReportingJob, Work()), seconds=15)
    jobs.probe.gate.set()
    await jobs.probe.until(lambda: jobs.probe.finished["waiting"] == 1)
    assert jobs.probe.started["waiting"] == 1
    assert jobs.probe.stopped["waiting"] == 0


async def test_a_second_of_it_costs_no_running_job_its_worker(
    postgres: Postgres, postgres_url: str
) -> None:
    name = make_url(postgres_url).database
    terminate = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"

    async with jobs_host(postgres_url) as jobs:
        waiting = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        with anyio.move_on_after(SECONDS):
            while True:
                await anyio.to_thread.run_sync(postgres.run, terminate)
        await keeps_its_job_and_begins_others(jobs)
        assert (await jobs.ends(waiting)).state is JobState.COMPLETED


@pytest.mark.parametrize(
    "error", [asyncpg.InternalClientError("got result for unknown protocol state 3"), EOFError()]
)
async def test_no_error_of_the_listener_ends_the_processor(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The driver's own errors were on no list: the processor ended, and its jobs began anew."""
    connect = PostgresAccess.connect
    connecting: list[PostgresAccess] = []

    async def fail_once(access: PostgresAccess) -> Any:
        connecting.append(access)
        if len(connecting) == 1:
            raise error
        return await connect(access)

    monkeypatch.setattr(PostgresAccess, "connect", fail_once)
    async with jobs_host(postgres_url) as jobs:
        await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        await jobs.probe.until(lambda: len(connecting) > 1)
        await keeps_its_job_and_begins_others(jobs)
