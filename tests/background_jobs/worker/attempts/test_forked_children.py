"""A process that a job forks by itself never continues as the worker."""

import os
import signal
import sys
import time

import pytest

from background_jobs.hosts import jobs_host
from modhost_background_jobs.contracts import JobExecutionContext, JobState, ModuleJob

pytestmark = pytest.mark.anyio

WAYS = {"returns": 0, "raises": 1, "exits": 3}


def _fork(context: JobExecutionContext) -> int:
    """Return the id of a child, or leave as the job asks in the child itself."""
    child = os.fork()
    if child == 0:
        way = context.get_data(str)
        if way == "raises":
            raise ValueError(way)
        if way == "exits":
            sys.exit(WAYS[way])
    return child


def _code(child: int) -> int | None:
    """Return how a child ended; None for one that has not."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


class ForkingTask(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        if child := _fork(context):
            context.log(str(_code(child)))


class ForkingThread(ModuleJob):
    def execute(self, context: JobExecutionContext) -> None:
        if child := _fork(context):
            context.log(str(_code(child)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [ForkingTask, ForkingThread])
async def test_it_ends_where_it_leaves_the_job(
    sqlite_url: str, kind: type[ModuleJob], way: str
) -> None:
    """What exited in a thread waited there for the next job, and its parent for it."""
    async with jobs_host(sqlite_url, more_jobs=[ForkingTask, ForkingThread]) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(kind, way))
    assert job.state is JobState.COMPLETED
    assert [line.message for line in job.logs] == [str(WAYS[way])]
