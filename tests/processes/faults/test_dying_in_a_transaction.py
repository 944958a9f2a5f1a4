"""A producer that is killed between what it stores and the job that belongs to it."""

import os
import signal
import sys
from pathlib import Path

import anyio
import pytest

from hosts import host_with
from modhost_background_jobs.contracts import JobFilter, JobState
from modhost_reports_example.contracts import ReportsContracts
from modhost_reports_example.module import ReportsModule
from processes.faults.dying_producer import TYPES
from sweeps import ONE_DATABASE

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parents[2]


async def killed(database_url: str, when: str) -> None:
    command = [sys.executable, "-m", "processes.faults.dying_producer", database_url, when]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with anyio.fail_after(60):
        ended = await anyio.run_process(command, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


@ONE_DATABASE
async def test_a_row_and_its_job_exist_both_or_not_at_all_whenever_their_process_is_killed(
    database_url: str,
) -> None:
    async with anyio.create_task_group() as group:
        for when in TYPES:
            group.start_soon(killed, database_url, when)
    async with host_with(database_url, ReportsModule()) as jobs, jobs.host.scope() as scope:
        (report,) = await (await scope.get(ReportsContracts)).latest()
        found = await jobs.querying.get_jobs(JobFilter())
    assert report.type is TYPES["after"]
    assert [(job.id, job.state) for job in found.items] == [(report.job_id, JobState.PENDING)]
