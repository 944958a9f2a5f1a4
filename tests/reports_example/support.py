"""A job's context that records its calls, and reports made from text."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import new_id
from modhost_background_jobs.contracts import JobCancelled, JobId
from modhost_reports_example.computing.records import Record, group_records, read_records
from modhost_reports_example.contracts import Report, ReportRequest, ReportRow, ReportType

T = TypeVar("T")
Args = TypeVarTuple("Args")


@dataclass
class RecordingContext:
    """Implements `JobExecutionContext` without a queue."""

    request: ReportRequest
    id: UUID = field(default_factory=new_id)
    cancelled: bool = False
    attempt: int = 1
    due_at: datetime | None = None
    progress: list[tuple[float, str | None]] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)

    @property
    def job_id(self) -> JobId:
        return JobId(self.id)

    @property
    def data(self) -> ReportRequest:
        return self.request

    def raise_if_cancelled(self) -> None:
        if self.cancelled:
            raise JobCancelled

    def get_data(self, model: type[T]) -> T:
        data: Any = self.request
        assert isinstance(data, model)
        return data

    async def step(
        self, _name: str, function: Callable[..., Any], *args: *Args, transactional: bool = False
    ) -> Any:
        raise NotImplementedError

    async def finish_in(self, session: AsyncSession, result: object = None) -> None:
        raise NotImplementedError

    def checkpoint(self, value: object) -> None:
        raise NotImplementedError

    def last_checkpoint(self, model: type[T]) -> T | None:
        raise NotImplementedError

    @property
    def from_thread(self) -> Any:
        raise NotImplementedError

    @property
    def workflow(self) -> Any:
        raise NotImplementedError

    def results(self, model: type[T]) -> AsyncIterator[T]:
        raise NotImplementedError

    def report_progress(self, percentage: float, message: str | None = None) -> None:
        self.progress.append((percentage, message))

    def log(self, message: str) -> None:
        self.logs.append(message)


class CsvFolder:
    """Writes CSV files, and reads them as reports do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def records(self, content: str | bytes) -> list[Record]:
        path = self.folder / "source.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return list(read_records(path))

    def rows(self, content: str, report_type: ReportType = ReportType.MONTHLY) -> list[ReportRow]:
        return group_records(self.records(content), report_type)

    def report(self, content: str, source: str = "test") -> Report:
        rows = self.rows(content)
        return Report(
            job_id=JobId(new_id()),
            type=ReportType.MONTHLY,
            source=source,
            records=sum(row.count for row in rows),
            rows=rows,
        )
