"""The implementation of the contract."""

from collections.abc import Sequence
from datetime import datetime

import anyio

from modhost.database import Database
from modhost_background_jobs.contracts import BackgroundJobs, JobId, JobState, WorkflowId
from modhost_reports_example.contracts import (
    Report,
    ReportNotFinished,
    ReportNotFound,
    ReportRequest,
    ReportRow,
    ReportStatus,
    ReportType,
)
from modhost_reports_example.jobs import GenerateReportJob
from modhost_reports_example.sources import Sources
from modhost_reports_example.storage import ReportStorage, StoredReport
from modhost_reports_example.years import (
    CompareYearsJob,
    ComparisonRequest,
    YearReportJob,
    YearRequest,
    years_of,
)


class ReportsService:
    """Implements `ReportsContracts`."""

    def __init__(
        self, database: Database, jobs: BackgroundJobs, storage: ReportStorage, sources: Sources
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._storage = storage
        self._sources = sources

    async def request(self, request: ReportRequest, execute_at: datetime | None = None) -> JobId:
        """Store the report and its job in one transaction: both exist, or neither.

        While the same request waits, its report is the one that is returned.
        """
        self._sources.check(request)
        request = request.model_copy(update={"not_before": execute_at})
        async with self._database.session() as session:
            if execute_at is None:
                job_id = await self._jobs.enqueue(GenerateReportJob, request, session=session)
            else:
                job_id = await self._jobs.schedule(
                    GenerateReportJob, execute_at, request, session=session
                )
            await self._storage.add_once(session, job_id, request)
        return job_id

    async def compare_years(self, source: str) -> WorkflowId:
        """Store the reports, and the workflow whose jobs make them, in one transaction."""
        path = self._sources.shipped(source)
        requests = [
            YearRequest(source=source, year=year)
            for year in await anyio.to_thread.run_sync(years_of, path)
        ]
        comparison, name = ComparisonRequest(source=source), f"Compare the years of {source}"
        async with self._database.session() as session:
            async with self._jobs.workflow(name, session=session) as workflow:
                years = [workflow.add(YearReportJob, each) for each in requests]
                last = workflow.add(CompareYearsJob, comparison, after=years)
            for node, request in zip(years, requests, strict=True):
                self._storage.add(session, node.job_id, request.as_report())
            self._storage.add(session, last.job_id, comparison.as_report())
        return workflow.id

    async def get(self, job_id: JobId) -> Report:
        """Read a report."""
        stored = await self._storage.find(job_id)
        if stored is None:
            raise ReportNotFound(f"There is no report of the job {job_id}.")
        rows = stored.parsed_rows()
        if rows is None:
            raise ReportNotFinished(await self._why_not_finished(job_id))
        return Report(
            job_id=job_id,
            type=ReportType(stored.type),
            source=stored.source,
            records=stored.records or 0,
            rows=rows,
        )

    async def latest(self, count: int = 20) -> Sequence[ReportStatus]:
        """Read the newest reports."""
        newest = await self._storage.newest(count)
        rows = await anyio.to_thread.run_sync(lambda: [each.parsed_rows() for each in newest])
        return [await self._status(*each) for each in zip(newest, rows, strict=True)]

    async def _status(self, stored: StoredReport, rows: Sequence[ReportRow] | None) -> ReportStatus:
        job_id = JobId(stored.job_id)
        is_finished = rows is not None
        return ReportStatus(
            job_id=job_id,
            type=ReportType(stored.type),
            source=stored.source,
            created_at=stored.created_at,
            is_finished=is_finished,
            job=None if is_finished else await self._jobs.get_status(job_id),
            records=stored.records,
            rows=rows or (),
            completed_at=stored.completed_at,
        )

    async def _why_not_finished(self, job_id: JobId) -> str:
        status = await self._jobs.get_status(job_id)
        if status is None:
            return f"The report was never made, and its job {job_id} is gone."
        sentence = f"The report is not finished: its job {job_id} is {status.state.value}."
        if status.state is JobState.FAILED and status.error:
            sentence += f" {status.error.splitlines()[0]}"
        return sentence
