"""The jobs of a workflow: a report for each year side by side, then one that compares them."""

from pathlib import Path

import anyio
from pydantic import BaseModel

from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob
from modhost_reports_example.computing.records import Record, group_records, read_records
from modhost_reports_example.contracts import ReportRequest, ReportRow, ReportType
from modhost_reports_example.jobs import records_of
from modhost_reports_example.sources import Sources
from modhost_reports_example.storage import ReportStorage


class YearRequest(BaseModel):
    """A year of a source."""

    source: str
    year: int

    def as_report(self) -> ReportRequest:
        """Return the report that is made of it."""
        return ReportRequest(type=ReportType.MONTHLY, source=f"{self.source} {self.year}")


class ComparisonRequest(BaseModel):
    """A source whose years are compared."""

    source: str

    def as_report(self) -> ReportRequest:
        """Return the report that is made of it."""
        return ReportRequest(type=ReportType.YEARLY, source=f"{self.source}, compared")


class YearReportJob(ModuleJob[YearRequest, ReportRow]):
    """Makes the report of one year by months, and returns the year as a whole."""

    def __init__(self, storage: ReportStorage, sources: Sources) -> None:
        self._storage = storage
        self._sources = sources

    @staticmethod
    def summary(data: YearRequest) -> str:
        """Say which year it is."""
        return f"{data.year} of {data.source}"

    async def execute(self, context: JobExecutionContext[YearRequest]) -> ReportRow:
        """Make the report; done twice it is the same."""
        request = context.data
        await self._storage.begin(context.job_id, request.as_report())
        path = self._sources.shipped(request.source)
        records = await anyio.to_thread.run_sync(lambda: _of_year(path, context))
        await self._storage.complete(context.job_id, group_records(records, ReportType.MONTHLY))
        (year,) = group_records(records, ReportType.YEARLY)
        return year


class CompareYearsJob(ModuleJob[ComparisonRequest]):
    """Makes one report of what the jobs before it returned."""

    def __init__(self, storage: ReportStorage) -> None:
        self._storage = storage

    @staticmethod
    def summary(data: ComparisonRequest) -> str:
        """Say which source it is."""
        return f"the years of {data.source}"

    async def execute(self, context: JobExecutionContext[ComparisonRequest]) -> None:
        """Make the report."""
        await self._storage.begin(context.job_id, context.data.as_report())
        years = [year async for year in context.results(ReportRow)]
        await self._storage.complete(context.job_id, years)


def years_of(path: Path) -> list[int]:
    """Return the years that a file has records of. Raises `UnreadableCsv`."""
    return sorted({record.day.year for record in read_records(path)})


def _of_year(path: Path, context: JobExecutionContext[YearRequest]) -> list[Record]:
    year = context.data.year
    return [record for record in records_of(path, context) if record.day.year == year]
