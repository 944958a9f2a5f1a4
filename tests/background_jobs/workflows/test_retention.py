"""Retention deletes workflows with their jobs, and none of which a job is still to run."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from background_jobs.workflows.nodes import NotingJob, Task, Workflows, add, workflows_host
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.maintenance.retention import RetentionService
from modhost_background_jobs.storage.tables import (
    CONDITIONS,
    DEPENDENCIES,
    FINISHED,
    WORKFLOWS,
)

pytestmark = pytest.mark.anyio


async def make_old(database: Database, *, but_jobs_of: UUID | None = None) -> None:
    """Let all that has finished have ended 60 days ago, except the jobs of one workflow."""
    async with database.session() as session:
        connection = await session.connection()
        for table in (FINISHED, WORKFLOWS):
            for row in (await connection.execute(select(table.c.id, table.c.completed_at))).all():
                if row.completed_at is not None:
                    changed = row.completed_at - timedelta(days=60)
                    await connection.execute(
                        update(table).where(table.c.id == row.id).values(completed_at=changed)
                    )
        kept = update(FINISHED).where(FINISHED.c.workflow_id == but_jobs_of)
        await connection.execute(kept.values(completed_at=datetime.now(UTC)))


async def rows(jobs: Workflows) -> list[int]:
    """Return how many rows there are of workflows and all that belongs to them."""
    database = await jobs.service(Database)
    async with database.reading() as session:
        connection = await session.connection()
        return [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (WORKFLOWS, FINISHED, CONDITIONS, DEPENDENCIES)
        ]


async def test_a_finished_workflow_is_deleted_with_its_jobs(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Old") as workflow:
            add(workflow, "second", after=add(workflow, "first"))
        await jobs.over(workflow.id)
        async with jobs.scheduling.workflow("With jobs that are kept") as kept:
            add(kept, "kept")
        await jobs.over(kept.id)
        alone = await jobs.scheduling.enqueue(NotingJob, Task(name="alone"))
        after = await jobs.scheduling.enqueue(NotingJob, Task(name="after"), after=alone)
        await jobs.reaches(after, JobState.COMPLETED)
        assert await rows(jobs) == [2, 5, 2, 2]
        await make_old(await jobs.service(Database), but_jobs_of=kept.id)
        await (await jobs.service(RetentionService)).prune()
        assert await rows(jobs) == [1, 1, 0, 0]
        assert (await jobs.over(kept.id)).name == "With jobs that are kept"


async def test_jobs_of_an_open_workflow_are_kept(database_url: str) -> None:
    async with workflows_host(database_url) as jobs:
        async with jobs.scheduling.workflow("Open") as workflow:
            first = add(workflow, "first")
            add(workflow, "gate", after=first, waits=True)
        await jobs.reaches(first.job_id, JobState.COMPLETED)
        await make_old(await jobs.service(Database))
        await (await jobs.service(RetentionService)).prune()
        assert await rows(jobs) == [1, 1, 1, 1]
        jobs.probe.gate.set()
        await jobs.over(workflow.id)
