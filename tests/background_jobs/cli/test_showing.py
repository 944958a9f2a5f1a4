"""How `modhost jobs show` prints what jobs have written."""

import pytest

from background_jobs.commands import Commands
from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import ProbedJob
from modhost_background_jobs.contracts import JobExecutionContext

pytestmark = pytest.mark.anyio


class MultilineJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        context.log("first\n  second 日本\x1b[2J\nthird")


async def test_the_lines_of_a_log_message_are_kept(database_url: str, commands: Commands) -> None:
    async with jobs_host(database_url, more_jobs=[MultilineJob]) as jobs:
        job = await jobs.scheduling.enqueue(MultilineJob)
        await jobs.ends(job)
        shown = await commands.done("show", str(job))
    first, second, third = shown.splitlines()[-3:]
    indent = first.index("first")
    assert second == " " * indent + "  second 日本 [2J"
    assert third == " " * indent + "third"
