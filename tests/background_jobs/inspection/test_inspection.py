"""What the page of one job reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import anyio
import pytest
from sqlalchemy import Engine, event

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.job import JobInspection

pytestmark = pytest.mark.anyio


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the statements that this task sends through SQLAlchemy."""
    sent: list[str] = []
    task = anyio.get_current_task().id

    def collect(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        # The host's own services read the database meanwhile.
        if anyio.get_current_task().id == task and statement != "BEGIN":
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", collect)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", collect)


async def sent_for(jobs: Jobs, job_id: UUID) -> int:
    async with jobs.host.scope() as scope:
        inspection = await scope.get(JobInspection)
        with statements() as sent:
            await inspection.inspect(job_id)
    return len(sent)


async def test_the_page_of_a_job_takes_at_most_four_statements(database_url: str) -> None:
    """It took eight, five of them for a sentence that only pending jobs have."""
    async with jobs_host(database_url, retry_base_delay="1h") as jobs:
        finished = await jobs.scheduling.enqueue(ReportingJob, Work())
        failed = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        for job_id in (finished, failed):
            await jobs.ends(job_id)
        failing = await jobs.scheduling.enqueue(ReportingJob, Work(name="f", failures=1))
        await jobs.probe.until(lambda: jobs.probe.started["f"] == 1)
        await jobs.reaches(failing, JobState.PENDING)
        running = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(running, JobState.RUNNING)
        counts = [await sent_for(jobs, each) for each in (finished, failed, running, failing)]
        assert counts == [3, 3, 3, 4]
        jobs.probe.gate.set()
