"""The job that makes a report."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from modhost import new_id
from modhost.testing import MovableClock, RunningHost
from modhost_background_jobs.contracts import JobId, JobState, PermanentJobError
from modhost_background_jobs.testing import Jobs
from modhost_reports_example.contracts import (
    ReportNotFinished,
    ReportNotFound,
    ReportRequest,
    ReportsContracts,
    ReportType,
)
from modhost_reports_example.jobs import GenerateReportJob
from modhost_reports_example.module import ReportsModule
from scraping import VIEW_METRICS, scrape

pytestmark = pytest.mark.anyio

UPLOAD = f"{new_id()}.csv"
SHIPPED = ReportRequest(type=ReportType.MONTHLY, source="seattle-weather")
SENT = ReportRequest(type=ReportType.YEARLY, source="upload", upload=UPLOAD)


@pytest.fixture
async def reports(host: RunningHost) -> AsyncIterator[ReportsContracts]:
    async with host.scope() as scope:
        yield await scope.get(ReportsContracts)


@pytest.fixture
async def sent(tmp_path: Path) -> anyio.Path:
    folder = anyio.Path(tmp_path / "up")
    await folder.mkdir()
    return folder / UPLOAD


async def test_a_report_shows_its_progress_and_exists_in_the_end(
    jobs: Jobs, reports: ReportsContracts
) -> None:
    performed = await jobs.perform(GenerateReportJob, SHIPPED)
    assert [(each.percentage, each.message) for each in performed.progress] == [
        (0, "Starting report generation"),
        (50, "Halfway done"),
        (100, "Report complete"),
    ]
    assert performed.log == ["Processing 1461 records"]
    (status,) = await reports.latest()
    report = await reports.get(status.job_id)
    assert (report.records, len(report.rows)) == (1461, 48)


async def test_the_records_of_reports_are_among_the_metrics(jobs: Jobs, host: RunningHost) -> None:
    await jobs.perform(GenerateReportJob, SHIPPED)
    found = await scrape(await host.client(VIEW_METRICS))
    found.fits(ReportsModule.metrics)
    assert found.value("reports_example_records_total", type="monthly") == 1461
    assert found.value("reports_example_records_total", type="yearly") == 0


async def test_a_run_of_the_schedule_has_a_report_from_its_start(
    jobs: Jobs, reports: ReportsContracts
) -> None:
    """Nobody asked for it by request, so that the job itself has to add it."""
    job_id = await jobs.scheduling.enqueue(GenerateReportJob, SENT)
    with pytest.raises(ReportNotFound):
        await reports.get(job_id)
    assert [each.state for each in await jobs.drain()] == [JobState.FAILED]
    with pytest.raises(ReportNotFinished):
        await reports.get(job_id)


async def test_running_twice_gives_the_same_report(
    jobs: Jobs, clock: MovableClock, reports: ReportsContracts, sent: anyio.Path
) -> None:
    """A worker that dies after it deleted the upload leaves a job that is run once more."""
    await sent.write_text("date,x\n2012-01-01,1\n")
    job_id = await reports.request(SENT)
    await jobs.lose_worker(after_running=True)
    first = await reports.get(job_id)
    assert not await sent.exists()
    clock.move(minutes=1)
    assert [each.state for each in await jobs.drain()] == [JobState.COMPLETED]
    assert await reports.get(job_id) == first
    assert [each.job_id for each in await reports.latest()] == [job_id]


async def test_a_file_that_cannot_be_read_fails_without_retries_and_is_kept(
    jobs: Jobs, sent: anyio.Path
) -> None:
    await sent.write_text("date,x\n2012-01-01,1\n2012-01-02,wet\n")
    with pytest.raises(PermanentJobError) as raised:
        await jobs.perform(GenerateReportJob, SENT)
    assert str(raised.value) == (
        "The source 'upload' cannot be read: line 3: 'wet' in 'x' is not a number."
    )
    assert await sent.exists()


async def test_a_file_that_is_gone_fails_without_retries(jobs: Jobs) -> None:
    with pytest.raises(PermanentJobError, match="The file of the source 'upload' is gone"):
        await jobs.perform(GenerateReportJob, SENT)


async def test_a_report_that_was_asked_for_waits_for_its_job(reports: ReportsContracts) -> None:
    job_id = await reports.request(SHIPPED)
    (status,) = await reports.latest()
    assert (status.job_id, status.is_finished) == (job_id, False)
    with pytest.raises(ReportNotFinished, match=f"its job {job_id} is Pending"):
        await reports.get(JobId(job_id))
