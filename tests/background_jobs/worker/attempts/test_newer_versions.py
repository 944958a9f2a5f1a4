"""While versions change, jobs that an older worker cannot read wait for one that can."""

import re
from datetime import timedelta
from typing import Any, ClassVar

import anyio
import pytest
from pydantic import AliasChoices, BaseModel, Field

from background_jobs.hosts import QUICK
from docs.pages import page
from hosts import HostedJobs, host_with
from modhost import Module, ServiceCollection, hookimpl
from modhost.clock import SystemClock
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    JobState,
    ModuleJob,
    add_module_job,
)
from modhost_background_jobs.model.job_types import is_newer

pytestmark = pytest.mark.anyio


class OldOrder(BaseModel):
    article: str


class NewOrder(BaseModel):
    article_id: int


class OldJob(ModuleJob):
    job_type: ClassVar[str | None] = "shop.Order"
    data_model: ClassVar[Any] = OldOrder

    async def execute(self, context: JobExecutionContext) -> None:
        context.get_data(self.data_model)


class NewJob(OldJob):
    data_model: ClassVar[Any] = NewOrder


class Shop(Module):
    name: ClassVar[str] = "shop"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    def __init__(self, version: str, job: type[ModuleJob]) -> None:
        self.version = version  # type: ignore[misc]
        self._job = job

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, self._job)


def host(url: str, version: str, job: type[ModuleJob], mode: str = "Consumer") -> Any:
    return host_with(url, Shop(version, job), background_jobs={**QUICK, "worker_mode": mode})


async def test_a_job_of_a_newer_version_waits_for_a_worker_that_can_read_it(
    database_url: str,
) -> None:
    """The older worker failed it at once, without retry."""
    old: HostedJobs
    new: HostedJobs
    async with host(database_url, "1.9.0", OldJob) as old:
        async with host(database_url, "1.10.0", NewJob, "Producer") as new:
            job_id = await new.scheduling.enqueue(NewJob, NewOrder(article_id=7), max_attempts=1)
            waiting = await new.until(
                job_id, lambda job: job.state is JobState.PENDING and bool(job.attempts)
            )
        assert waiting.retry_count == 0
        error = str(waiting.attempts[0].error)
        assert error.startswith("waits: it was enqueued by version 1.10.0 of shop, this worker has")
        assert "article: Field required" in error
        client = await old.host.client("BackgroundJobs.ViewJobs")
        why = "It waits for a worker with version 1.10.0 of shop, which enqueued it"
        with anyio.fail_after(20):
            # Not while the older worker tries it again.
            while why not in (await client.get(f"/admin/jobs/{job_id}")).text:
                await anyio.sleep(0.1)
    # The older worker is gone: while it is there, it may be the one that tries it, again and again.
    async with host(database_url, "1.10.0", NewJob) as new:
        assert (await new.ends(job_id)).state is JobState.COMPLETED
        async with host(database_url, "1.9.0", OldJob) as old:
            # What both can read is for both.
            shared = await old.scheduling.enqueue(OldJob, {"article": "x", "article_id": 1})
            assert (await old.ends(shared)).state is JobState.COMPLETED


@pytest.mark.parametrize("enqueued_by", ["1.9.0", "1.8.0"])
async def test_a_job_that_is_not_newer_fails_at_once(sqlite_url: str, enqueued_by: str) -> None:
    jobs: HostedJobs
    async with host(sqlite_url, enqueued_by, NewJob, "Producer") as jobs:
        job_id = await jobs.scheduling.enqueue(NewJob, NewOrder(article_id=7))
        async with host(sqlite_url, "1.9.0", OldJob) as worker:
            ended = await worker.ends(job_id)
    assert (ended.state, len(ended.attempts)) == (JobState.FAILED, 1)


async def test_a_run_of_a_schedule_is_of_the_version_that_has_put_it(database_url: str) -> None:
    jobs: HostedJobs
    async with host(database_url, "2", NewJob, "Producer") as jobs:
        schedule = await jobs.scheduling.add_recurring(
            NewJob, name="Yearly", cron_expression="@yearly", data=NewOrder(article_id=7)
        )
        run = await jobs.scheduling.run_recurring_now(schedule)
        async with host(database_url, "1", OldJob) as worker:
            waiting = await worker.until(
                run, lambda job: job.state is JobState.PENDING and bool(job.attempts)
            )
    assert "waits: it was enqueued by version 2 of shop" in str(waiting.attempts[0].error)
    assert waiting.execute_at - SystemClock().now() < timedelta(minutes=2)


def test_the_documented_change_reads_what_both_versions_write() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", page("modules/changing-job-data.md"), re.DOTALL)
    names: dict[str, Any] = {"BaseModel": BaseModel, "Field": Field, "AliasChoices": AliasChoices}
    exec(block, names)  # noqa: S102 - a page of ours
    for data in ('{"article": 7}', '{"article_id": 7}', '{"article_id": 7, "gift": true}'):
        assert names["Order"].model_validate_json(data).article_id == 7


@pytest.mark.parametrize(
    ("version", "than", "newer"),
    [
        ("1.10", "1.9.9", True),
        ("2", "1.9", True),
        ("2.0.1", "2.0", True),
        ("1.9", "1.9", False),
        ("1.8", "1.9", False),
        (None, "1", False),
        ("1", None, False),
    ],
)
def test_versions_are_compared_by_their_numbers(
    version: str | None, than: str | None, newer: bool
) -> None:
    assert is_newer(version, than) is newer
