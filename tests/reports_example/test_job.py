"""The job that makes a report, on a host with a database but without a worker."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from hosts import host_with
from modhost import Scope, new_id
from modhost_background_jobs.contracts import JobCancelled, JobId, PermanentJobError
from modhost_reports_example.contracts import (
    ReportNotFinished,
    ReportNotFound,
    ReportRequest,
    ReportsContracts,
    ReportType,
)
from modhost_reports_example.jobs import GenerateReportJob
from modhost_reports_example.module import ReportsModule
from reports_example.support import RecordingContext

pytestmark = pytest.mark.anyio

UPLOAD = f"{new_id()}.csv"
SHIPPED = ReportRequest(type=ReportType.MONTHLY, source="seattle-weather")
SENT = ReportRequest(type=ReportType.YEARLY, source="upload", upload=UPLOAD)


@pytest.fixture
async def scope(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Scope]:
    options = {"upload_folder": str(tmp_path)}
    async with host_with(sqlite_url, ReportsModule(), reports_example=options) as jobs:
        async with jobs.host.scope() as scope:
            yield scope


@pytest.fixture
def sent(tmp_path: Path) -> anyio.Path:
    return anyio.Path(tmp_path / UPLOAD)


async def test_a_report_shows_its_progress_and_exists_in_the_end(scope: Scope) -> None:
    job = await scope.get(GenerateReportJob)
    context = RecordingContext(SHIPPED)
    await job.execute(context)
    assert context.progress == [
        (0, "Starting report generation"),
        (50, "Halfway done"),
        (100, "Report complete"),
    ]
    assert context.logs == ["Processing 1461 records"]
    report = await (await scope.get(ReportsContracts)).get(context.job_id)
    assert (report.records, len(report.rows)) == (1461, 48)


async def test_a_run_of_the_schedule_has_a_report_from_its_start(scope: Scope) -> None:
    """Nobody asked for it by request, so that the job itself has to add it."""
    job = await scope.get(GenerateReportJob)
    reports = await scope.get(ReportsContracts)
    context = RecordingContext(SHIPPED, cancelled=True)
    with pytest.raises(ReportNotFound):
        await reports.get(context.job_id)
    with pytest.raises(JobCancelled):
        await job.execute(context)
    with pytest.raises(ReportNotFinished):
        await reports.get(context.job_id)


async def test_running_twice_gives_the_same_report(scope: Scope, sent: anyio.Path) -> None:
    """A worker that dies after it deleted the upload leaves a job that is run once more."""
    job = await scope.get(GenerateReportJob)
    reports = await scope.get(ReportsContracts)
    await sent.write_text("date,x\n2012-01-01,1\n")
    context = RecordingContext(SENT)
    await job.execute(context)
    first = await reports.get(context.job_id)
    assert not await sent.exists()
    await job.execute(context)
    assert await reports.get(context.job_id) == first
    assert [each.job_id for each in await reports.latest()] == [context.job_id]
    assert context.progress[-1] == (100, "Report complete")


async def test_a_file_that_cannot_be_read_fails_without_retries_and_is_kept(
    scope: Scope, sent: anyio.Path
) -> None:
    job = await scope.get(GenerateReportJob)
    await sent.write_text("date,x\n2012-01-01,1\n2012-01-02,wet\n")
    with pytest.raises(PermanentJobError) as raised:
        await job.execute(RecordingContext(SENT))
    assert str(raised.value) == (
        "The source 'upload' cannot be read: line 3: 'wet' in 'x' is not a number."
    )
    assert await sent.exists()


async def test_a_file_that_is_gone_fails_without_retries(scope: Scope) -> None:
    job = await scope.get(GenerateReportJob)
    with pytest.raises(PermanentJobError, match="The file of the source 'upload' is gone"):
        await job.execute(RecordingContext(SENT))


async def test_a_report_that_was_asked_for_waits_for_its_job(scope: Scope) -> None:
    reports = await scope.get(ReportsContracts)
    job_id = await reports.request(SHIPPED)
    (status,) = await reports.latest()
    assert (status.job_id, status.is_finished) == (job_id, False)
    with pytest.raises(ReportNotFinished, match=f"its job {job_id} is Pending"):
        await reports.get(JobId(job_id))
