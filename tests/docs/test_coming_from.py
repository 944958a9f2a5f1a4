"""The pages for those who come from other systems: their examples run, and their names exist."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from runpy import run_path
from typing import Any, Final

import pytest
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

import modhost_background_jobs.contracts as contracts
from background_jobs.hosts import jobs_host
from docs.pages import blocks, page
from modhost.database import Database
from modhost_background_jobs.contracts import JobState, ModuleJob
from modhost_background_jobs.options import BackgroundJobsOptions

pytestmark = pytest.mark.anyio

NAMES: Final = {
    **{name: getattr(contracts, name) for name in contracts.__all__},
    **{each.__name__: each for each in (BaseModel, datetime, timedelta, AsyncSession)},
    "text": text,
}


def examples(name: str, folder: Path) -> dict[str, Any]:
    """Run the code of a page, and return what it defines."""
    shown = folder / "example.py"
    shown.write_text("\n".join(blocks(page(name), "python")))
    return run_path(str(shown), NAMES, __name__)


def jobs_of(example: dict[str, Any]) -> list[type[ModuleJob]]:
    return [
        each
        for each in example.values()
        if isinstance(each, type) and issubclass(each, ModuleJob) and each is not ModuleJob
    ]


async def test_a_task_becomes_a_job(sqlite_url: str, tmp_path: Path) -> None:
    example = examples("from-celery.md", tmp_path)
    async with jobs_host(sqlite_url, more_jobs=jobs_of(example)) as jobs:
        now, later = await example["order"](jobs.scheduling, datetime.now(UTC))
        await jobs.reaches(now, JobState.COMPLETED)
        assert await jobs.querying.get_result(now, str) == "sent 42"
        waiting = await jobs.querying.get_job_detail(later)
        assert waiting is not None
        assert (waiting.state, waiting.queue, waiting.priority) == (JobState.PENDING, "mail", 5)


async def test_what_is_stored_with_a_row_goes_with_it(sqlite_url: str, tmp_path: Path) -> None:
    example = examples("from-celery.md", tmp_path)
    async with jobs_host(sqlite_url, more_jobs=jobs_of(example)) as jobs:
        database = await jobs.service(Database)
        async with database.session() as session:
            connection = await session.connection()
            await connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
            await session.commit()
        invoice = example["Invoice"](id=7)
        async with database.session() as session:
            await example["place"](jobs.scheduling, session, invoice)
            await session.rollback()
        assert (await jobs.querying.get_jobs(contracts.JobFilter())).total_count == 0
        async with database.session() as session:
            await example["place"](jobs.scheduling, session, invoice)
            await session.commit()
        (job,) = (await jobs.querying.get_jobs(contracts.JobFilter())).items
        await jobs.reaches(job.id, JobState.COMPLETED)


async def test_a_job_of_simplemodule_is_one_here(sqlite_url: str, tmp_path: Path) -> None:
    example = examples("from-hangfire.md", tmp_path)
    async with jobs_host(sqlite_url, more_jobs=jobs_of(example)) as jobs:
        job = await example["order"](jobs.scheduling, datetime.now(UTC))
        await jobs.reaches(job, JobState.COMPLETED)
        assert await jobs.querying.get_recurring_count() == 1


@pytest.mark.parametrize("name", ["from-celery.md", "from-hangfire.md"])
def test_what_they_name_exists(name: str) -> None:
    rows = [line.split(" | ")[1] for line in page(name).splitlines() if line.startswith("| ")]
    code = " ".join(word for row in rows for word in re.findall(r"`([^`]+)`", row))
    known = {*NAMES, *BackgroundJobsOptions.model_fields, *dir(ModuleJob)}
    for each in ("BackgroundJobs", "BackgroundJobsContracts", "JobExecutionContext"):
        known |= set(dir(NAMES[each]))
    called = set(re.findall(r"(?<!/)\b(?:jobs|context|BackgroundJobs)\.([a-z]\w*)", code))
    classes = set(re.findall(r"\b([A-Z][a-z]+\w*)\(", code))
    assert called | classes <= known
    assert called
