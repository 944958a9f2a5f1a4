"""Reports in the database."""

from collections.abc import Sequence
from uuid import UUID

from pydantic import TypeAdapter
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Clock
from modhost.database import Database
from modhost_background_jobs.contracts import JobId
from modhost_reports_example.contracts import Report, ReportRequest, ReportRow, ReportType
from modhost_reports_example.tables import StoredReport

_ROWS = TypeAdapter(list[ReportRow])


class ReportStorage:
    """Writes and reads reports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, session: AsyncSession, job_id: UUID, request: ReportRequest) -> StoredReport:
        """Add a report that is asked for, in the caller's transaction."""
        stored = StoredReport(
            job_id=job_id,
            type=request.type.value,
            source=request.source,
            upload=request.upload,
            created_at=self._clock.now(),
        )
        session.add(stored)
        return stored

    async def begin(self, job_id: UUID, request: ReportRequest) -> bool:
        """Tell whether a report is finished already.

        A run of the schedule, for which nobody asked by request, has no report yet: it is added.
        """
        stored = await self.find(job_id)
        if stored is None:
            async with self._database.session() as session:
                stored = self.add(session, job_id, request)
        return stored.rows is not None

    async def complete(self, job_id: UUID, rows: list[ReportRow]) -> None:
        """Store the rows of a report that was begun."""
        async with self._database.session() as session:
            stored = await session.get_one(StoredReport, job_id)
            stored.rows = _ROWS.dump_json(rows).decode()
            stored.records = sum(row.count for row in rows)
            stored.completed_at = self._clock.now()

    async def uploads(self) -> Sequence[tuple[UUID, str]]:
        """Return the files that were sent and may still be there, each with its job."""
        async with self._database.reading() as session:
            kept = select(StoredReport.job_id, col(StoredReport.upload)).where(
                col(StoredReport.upload).is_not(None)
            )
            return [(job_id, upload) for job_id, upload in await session.exec(kept) if upload]

    async def forget_upload(self, job_id: UUID) -> None:
        """Note that the file of a report is gone."""
        async with self._database.session() as session:
            (await session.get_one(StoredReport, job_id)).upload = None

    async def find(self, job_id: UUID) -> StoredReport | None:
        """Return a report, finished or not."""
        async with self._database.reading() as session:
            return await session.get(StoredReport, job_id)

    async def newest(self, count: int) -> Sequence[StoredReport]:
        """Return the newest reports."""
        async with self._database.reading() as session:
            newest = select(StoredReport).order_by(col(StoredReport.job_id).desc()).limit(count)
            return (await session.exec(newest)).all()


def report_of(stored: StoredReport, rows: str) -> Report:
    """Return a finished report as other modules see it."""
    return Report(
        job_id=JobId(stored.job_id),
        type=ReportType(stored.type),
        source=stored.source,
        records=stored.records or 0,
        rows=_ROWS.validate_json(rows),
    )
