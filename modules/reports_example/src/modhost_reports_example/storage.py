"""Reports in the database: the tables, and how they are read and written."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import MetaData, Text
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Clock
from modhost.database import Database, Identifier, UtcDateTime
from modhost_reports_example.contracts import ReportRequest, ReportRow

_ROWS = TypeAdapter(list[ReportRow])


class ReportsTable(SQLModel, registry=registry(metadata=MetaData(schema="reports_example"))):
    """Base of this module's tables, in a schema and a registry of their own."""


class StoredReport(ReportsTable, table=True):
    """A report; `rows` is JSON, empty until the job has completed. Ids grow with time.

    `upload` is the uploaded file of its source, for as long as that may exist.
    """

    __tablename__ = "reports"

    job_id: UUID = Field(primary_key=True, sa_type=Identifier)
    type: str
    source: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    completed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    records: int | None = None
    rows: str | None = Field(default=None, sa_type=Text)
    upload: str | None = Field(default=None, index=True)

    def parsed_rows(self) -> list[ReportRow] | None:
        """Return the rows of a finished report."""
        return None if self.rows is None else _ROWS.validate_json(self.rows)


class Seed(ReportsTable, table=True):
    """Something that was set up once; from then on it stays as people leave it."""

    __tablename__ = "seeds"

    name: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class ReportStorage:
    """Reads and writes reports."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, session: AsyncSession, job_id: UUID, request: ReportRequest) -> StoredReport:
        """Add a requested report in the caller's transaction."""
        stored = StoredReport(
            job_id=job_id,
            type=request.type.value,
            source=request.source,
            upload=request.upload,
            created_at=self._clock.now(),
        )
        session.add(stored)
        return stored

    async def add_once(self, session: AsyncSession, job_id: UUID, request: ReportRequest) -> None:
        """Add a requested report in the caller's transaction, unless its job has one."""
        if await session.get(StoredReport, job_id) is None:
            self.add(session, job_id, request)

    async def begin(self, job_id: UUID, request: ReportRequest) -> bool:
        """Return whether the report is finished already; add it if it does not exist.

        A run of the recurring job has no report yet, because nobody requested one.
        """
        stored = await self.find(job_id)
        if stored is None:
            async with self._database.session() as session:
                stored = self.add(session, job_id, request)
        return stored.rows is not None

    async def complete(self, job_id: UUID, rows: list[ReportRow]) -> None:
        """Store the rows of a report."""
        async with self._database.session() as session:
            stored = await session.get_one(StoredReport, job_id)
            stored.rows = _ROWS.dump_json(rows).decode()
            stored.records = sum(row.count for row in rows)
            stored.completed_at = self._clock.now()

    async def uploads(self) -> Sequence[tuple[UUID, str]]:
        """Return the uploaded files that may still exist, each with its job."""
        async with self._database.reading() as session:
            uploads = select(StoredReport.job_id, col(StoredReport.upload)).where(
                col(StoredReport.upload).is_not(None)
            )
            return [(job_id, upload) for job_id, upload in await session.exec(uploads) if upload]

    async def forget_upload(self, job_id: UUID) -> None:
        """Record that the uploaded file of a report is deleted."""
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
