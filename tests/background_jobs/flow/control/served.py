"""A host whose flow control is changed through its API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, ClassVar

import httpx2

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import ProbedJob, Work
from modhost_background_jobs.contracts import Concurrency, JobExecutionContext, Rate

VIEW, MANAGE = "BackgroundJobs.ViewJobs", "BackgroundJobs.ManageJobs"


class MailJob(ProbedJob):
    queue: ClassVar[str] = "mail/out.eu"
    concurrency: ClassVar[Any] = Concurrency(1, per="name")
    rate: ClassVar[Any] = Rate(500, timedelta(seconds=60), name="provider/eu #1")

    async def execute(self, context: JobExecutionContext) -> None:
        name = context.get_data(Work).name
        self.probe.started[name] += 1
        await self.probe.gate.wait()


@asynccontextmanager
async def served(
    url: str, mode: str = "Producer", **options: Any
) -> AsyncIterator[tuple[Jobs, httpx2.AsyncClient]]:
    async with jobs_host(url, mode=mode, more_jobs=[MailJob], **options) as jobs:
        yield jobs, await jobs.host.client(VIEW, MANAGE)


async def by_name(client: httpx2.AsyncClient, what: str) -> dict[str, dict[str, Any]]:
    answer = await client.get(f"/api/jobs/{what}")
    assert answer.status_code == 200, answer.text
    return {each["name"]: each for each in answer.json()}
