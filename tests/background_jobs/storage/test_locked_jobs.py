"""Writes of many leases store what is free when somebody else has locked a job among them."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import anyio
import pytest

from background_jobs.hung_client import rows_locked
from background_jobs.support import claim, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended, Lease, LogLine, ProgressUpdate, Released
from modhost_background_jobs.storage import JobsLocked, JobStore
from moving_clock import START

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]


async def end(store: JobStore, leases: list[Lease]) -> set[UUID]:
    return await store.end([Ended(each, JobState.COMPLETED) for each in leases], START)


async def release(store: JobStore, leases: list[Lease]) -> set[UUID]:
    return await store.release([Released(each) for each in leases], START)


async def report(store: JobStore, leases: list[Lease]) -> set[UUID]:
    return await store.save_progress([ProgressUpdate(each, 5, "", START) for each in leases])


async def log(store: JobStore, leases: list[Lease]) -> set[UUID]:
    return await store.append_logs([LogLine(each, 0, START, "line") for each in leases], 10)


@pytest.mark.parametrize("write", [end, release, report, log])
async def test_what_is_locked_is_named_and_all_else_is_written(
    store: JobStore,
    database: Database,
    database_url: str,
    write: Callable[[JobStore, list[Lease]], Awaitable[set[UUID]]],
) -> None:
    await store.insert([new_job() for _ in range(3)])
    locked, one, other = (each.lease for each in await claim(store))
    async with rows_locked(database_url, "jobs", f"id = '{locked.job_id}'"):
        with pytest.raises(JobsLocked) as first:
            await write(store, [one, locked])
        assert (first.value.written, first.value.locked) == ({one.job_id}, {locked.job_id})
        # The lock is waited for once, not by each batch with that job in it.
        await database.postgres.execute("SET lock_timeout = '60s'")
        with anyio.fail_after(20), pytest.raises(JobsLocked) as second:
            await write(store, [locked, other])
        assert (second.value.written, second.value.locked) == ({other.job_id}, {locked.job_id})
    assert await write(store, [locked]) == {locked.job_id}
