"""A server that becomes read-only, as after a failover or with a full disk, for a while."""

import time
from pathlib import Path
from uuid import UUID

import anyio
import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from modhost_background_jobs.contracts import JobState
from postgres import Postgres
from processes.acting import GatedJob, NappingJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio

BAD_SECONDS = 4


async def health(url: str) -> dict[str, str]:
    """Return the status of each part of a host, with its detail."""
    async with httpx2.AsyncClient() as client:
        parts = (await client.get(f"{url}/health/ready")).json()["parts"]
    return {name: f"{part['status']} {part['detail']}" for name, part in parts.items()}


async def state_at_the_end(deployment: Deployment, job_id: UUID) -> JobState:
    """Return the final state of a job; each connection of the reader may be a bad one, once."""
    while True:
        try:
            return (await deployment.ends(job_id, 20)).state
        except deployment.database.errors:
            await anyio.sleep(0.1)


@pytest.mark.parametrize(
    ("setting", "value"), [("default_transaction_read_only", "on"), ("statement_timeout", "1ms")]
)
async def test_a_worker_says_that_it_cannot_write_and_works_at_once_when_it_can(
    postgres: Postgres, postgres_url: str, tmp_path: Path, setting: str, value: str
) -> None:
    """Connections that were opened meanwhile failed until somebody terminated them."""
    name = make_url(postgres_url).database

    async def alter(change: str) -> None:
        await anyio.to_thread.run_sync(postgres.run, f'ALTER DATABASE "{name}" {change}')
        terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        await anyio.to_thread.run_sync(postgres.run, f"{terminate} WHERE datname = '{name}'")

    async with Deployment(tmp_path / "deployment", postgres_url).producing() as deployment:
        worker = await deployment.start(**QUICK | {"stall_timeout": "20s"}).ready()
        held = await deployment.enqueue(GatedJob, Act(name="held"))
        (mark,) = await deployment.marked("started", "held")
        assert (await health(worker.url))["hosted_services"] == "healthy "
        await alter(f"SET {setting} = '{value}'")
        deployment.stage.open_gate("held", mark.process)
        with anyio.fail_after(20):
            while not (await health(worker.url))["hosted_services"].startswith("degraded Failing"):
                await anyio.sleep(0.1)
        if setting == "default_transaction_read_only":
            assert (await health(worker.url))["database"].startswith("degraded The database can be")
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await deployment.enqueue(NappingJob, Act(name="refused"))
        await anyio.sleep(BAD_SECONDS)
        # Sessions that are open now stay as they are: only new ones are good.
        await anyio.to_thread.run_sync(postgres.run, f'ALTER DATABASE "{name}" RESET {setting}')
        began = time.monotonic()
        while True:
            try:
                ids = await deployment.enqueue_many(
                    NappingJob, [Act(name=f"nap-{n}", seconds=0.01) for n in range(40)]
                )
                break
            except (asyncpg.ReadOnlySQLTransactionError, asyncpg.QueryCanceledError):
                await anyio.sleep(0.1)
        for job_id in [held, *ids]:
            assert await state_at_the_end(deployment, job_id) is JobState.COMPLETED
        assert time.monotonic() - began < 20
        assert (await health(worker.url))["database"] == "healthy "
        await worker.logs("All works again after")
