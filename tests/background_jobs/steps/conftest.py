"""A host with jobs that take steps, and a table that those write to."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, text

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.steps.failing_jobs import FAILING, BooksAgain
from background_jobs.steps.step_jobs import JOBS, LEDGER
from modhost.database import Database
from modhost_background_jobs.storage.tables import STEPS


class StepHost:
    """The jobs of a host, and the numbers that their steps have written."""

    def __init__(self, jobs: Jobs, database: Database) -> None:
        self.jobs = jobs
        self.database = database

    async def booked(self) -> list[int]:
        async with self.database.reading() as session:
            found = await (await session.connection()).execute(text(f"SELECT * FROM {LEDGER}"))
            return sorted(found.scalars())

    async def stored(self) -> list[str]:
        """Return the names of all steps that are stored, in their order."""
        async with self.database.reading() as session:
            names = select(STEPS.c.name).order_by(STEPS.c.job_id, STEPS.c.number)
            return list((await (await session.connection()).execute(names)).scalars())


@pytest.fixture
async def steps(database_url: str) -> AsyncIterator[StepHost]:
    for job in JOBS:
        job.calls.clear()
        job.results.clear()
    BooksAgain.calls.clear()
    async with jobs_host(database_url, more_jobs=[*JOBS, *FAILING]) as jobs:
        database = await jobs.service(Database)
        async with database.session() as session:
            created = text(f"CREATE TABLE {LEDGER} (number integer)")
            await (await session.connection()).execute(created)
        yield StepHost(jobs, database)
