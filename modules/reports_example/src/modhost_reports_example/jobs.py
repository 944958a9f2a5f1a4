"""The job that makes a report, and the recurring job that makes one each month."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import anyio
from sqlalchemy.exc import IntegrityError

from modhost import Clock, Settings
from modhost.database import Database
from modhost.metrics import Metric, Samples
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    Concurrency,
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    Unique,
)
from modhost_reports_example.computing.records import (
    Record,
    UnreadableCsv,
    group_records,
    read_records,
)
from modhost_reports_example.contracts import ReportRequest, ReportRow, ReportType, UnknownSource
from modhost_reports_example.options import ReportsSettings
from modhost_reports_example.sources import Sources
from modhost_reports_example.storage import ReportStorage, Seed

MONTHLY_REPORT: Final = "Monthly Report"
_RECORDS_PER_CHECK: Final = 1000
RECORDS: Final = Metric(
    "reports_example_records_total",
    "counter",
    "Records of which reports were made in this process.",
    ("type",),
)


class RecordCounts:
    """Counts records as reports are made of them."""

    def __init__(self) -> None:
        self._by_type: Counter[ReportType] = Counter()

    def count(self, kind: ReportType, records: int) -> None:
        """Count the records of a report."""
        self._by_type[kind] += records

    def add(self, samples: Samples) -> None:
        """Add the counts of all types, also of those without a report."""
        for kind in ReportType:
            samples.add(RECORDS, self._by_type[kind], type=kind)


class GenerateReportJob(ModuleJob[ReportRequest]):
    """Reads the source and stores the report.

    A job may run twice, when its worker dies before it can record that the job completed: the
    second run finds the report and changes nothing.
    """

    # A source is read by one job at a time, and a request that waits already is not repeated.
    concurrency = Concurrency(1, per="source")
    unique = Unique(until="started")

    def __init__(
        self,
        storage: ReportStorage,
        sources: Sources,
        settings: Settings[ReportsSettings],
        counts: RecordCounts,
    ) -> None:
        self._storage = storage
        self._sources = sources
        self._settings = settings
        self._counts = counts

    @staticmethod
    def summary(data: ReportRequest) -> str:
        """Say which report it is."""
        return f"{data.type.value} report of {data.source}"

    async def execute(self, context: JobExecutionContext[ReportRequest]) -> None:
        """Make the report; a CSV that cannot be read fails the job at once, with the reason."""
        request = context.data
        context.report_progress(0, "Starting report generation")
        if not await self._storage.begin(context.job_id, request):
            rows = await self._compute(request, context)
            await self._storage.complete(context.job_id, rows)
            self._counts.count(request.type, sum(row.count for row in rows))
        if request.upload is not None:
            self._sources.delete(request.upload)
        context.report_progress(100, "Report complete")

    async def _compute(
        self, request: ReportRequest, context: JobExecutionContext
    ) -> list[ReportRow]:
        try:
            path = self._sources.path(request)
            # In threads: computing on the event loop would hold up all other jobs. The whole source
            # is read once before, to find an error at its end before any work is done.
            count = await anyio.to_thread.run_sync(
                lambda: sum(1 for _ in records_of(path, context))
            )
            if count > (most := self._settings.current.max_records):
                msg = f"The source {request.source!r} has {count:,} records, more than the "
                raise PermanentJobError(f"{msg}{most:,} that the settings allow.")
            context.log(f"Processing {count} records")
            context.report_progress(50, "Halfway done")
            return await anyio.to_thread.run_sync(
                lambda: group_records(records_of(path, context), request.type)
            )
        except UnreadableCsv as error:
            msg = f"The source {request.source!r} cannot be read: {error}"
            raise PermanentJobError(msg) from error
        except UnknownSource as error:
            raise PermanentJobError(str(error)) from error
        except FileNotFoundError as error:
            msg = f"The file of the source {request.source!r} is gone."
            raise PermanentJobError(msg) from error


def records_of(path: Path, context: JobExecutionContext) -> Iterator[Record]:
    """Yield the records until the job is cancelled: a thread has to check by itself."""
    for number, record in enumerate(read_records(path)):
        if number % _RECORDS_PER_CHECK == 0:
            context.raise_if_cancelled()
        yield record


class MonthlyReportSeed:
    """Adds the monthly report once: whoever deletes it does not get it back."""

    def __init__(self, database: Database, jobs: BackgroundJobs, clock: Clock) -> None:
        self._database = database
        self._jobs = jobs
        self._clock = clock

    async def plant(self) -> None:
        """Add the recurring job once, however many hosts start at the same time."""
        async with self._database.reading() as session:
            if await session.get(Seed, MONTHLY_REPORT) is not None:
                return
        # In one transaction, so that both exist or neither does.
        with suppress(IntegrityError):  # another host was faster
            async with self._database.session() as session:
                session.add(Seed(name=MONTHLY_REPORT, created_at=self._clock.now()))
                await session.flush()
                await self._jobs.add_recurring(
                    GenerateReportJob,
                    name=MONTHLY_REPORT,
                    cron_expression="0 0 1 * *",
                    data=ReportRequest(type=ReportType.MONTHLY, source="seattle-weather"),
                    session=session,
                )
