"""Publishers that are killed: durable subscribers get exactly the events that are committed."""

import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from background_jobs.events.ending import TYPE, Hearing, ends_of
from background_jobs.events.subscribing import orders_with
from modhost_background_jobs.contracts import JobFilter, JobState
from processes.publishing.publisher import subscribing
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parents[2]


async def killed(program: str, database_url: str, when: str) -> None:
    command = [sys.executable, "-m", f"processes.publishing.{program}", database_url, when]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with anyio.fail_after(60):
        ended = await anyio.run_process(command, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


@ONE_DATABASE
async def test_a_job_is_there_exactly_when_the_event_was_committed(database_url: str) -> None:
    async with anyio.create_task_group() as group:
        for when in ("before", "after"):
            group.start_soon(killed, "publisher", database_url, when)
    async with orders_with(database_url, subscribing()) as orders:
        assert await orders.logged() == ["billed ShopEvent after", "confirmed after"]


@ONE_DATABASE
async def test_the_end_of_a_job_is_there_exactly_when_its_event_is(database_url: str) -> None:
    """A job whose end was not committed runs again, and ends once more, for the first time."""
    for when in ("before", "after"):
        await killed("ender", database_url, when)
    soon = {
        "heartbeat_interval": "50ms",
        "stall_timeout": "500ms",
        "stall_sweep_interval": "100ms",
    }
    async with ends_of(database_url, Hearing(), "Consumer", **soon) as ends:
        found = (await ends.jobs.querying.get_jobs(JobFilter(job_type=TYPE))).items
        jobs = {each.tags[0]: await ends.jobs.ends(each.id) for each in found}
        assert {when: len(job.attempts) for when, job in jobs.items()} == {"before": 2, "after": 1}
        assert {job.state for job in jobs.values()} == {JobState.COMPLETED}
        subscribers = (await ends.jobs.querying.get_jobs(JobFilter())).items
        logs = [
            (await ends.jobs.ends(each.id)).logs[0].message
            for each in subscribers
            if each.job_type != TYPE
        ]
        assert sorted(logs) == sorted(f"completed {job.id}" for job in jobs.values())
