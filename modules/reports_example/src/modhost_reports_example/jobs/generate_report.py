"""The job that makes a report."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

import anyio

from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, PermanentJobError
from modhost_reports_example.computing.grouping import group_records
from modhost_reports_example.computing.reading import Record, UnreadableCsv, read_records
from modhost_reports_example.contracts import ReportRequest, ReportRow, UnknownSource
from modhost_reports_example.sources import Sources
from modhost_reports_example.storage import ReportStorage

_RECORDS_BETWEEN_LOOKS: Final = 1000


class GenerateReportJob(ModuleJob):
    """Reads the source and stores the report.

    A job may run twice, when its worker dies before it can say that the job is done: the second
    run finds the report and changes nothing.
    """

    data_model: ClassVar[Any] = ReportRequest

    def __init__(self, storage: ReportStorage, sources: Sources) -> None:
        self._storage = storage
        self._sources = sources

    async def execute(self, context: JobExecutionContext) -> None:
        """Make the report; a CSV that cannot be read fails the job at once, with the reason."""
        request = context.get_data(ReportRequest)
        context.report_progress(0, "Starting report generation")
        if not await self._storage.begin(context.job_id, request):
            rows = await self._compute(request, context)
            await self._storage.complete(context.job_id, rows)
        if request.upload is not None:
            self._sources.forget(request.upload)
        context.report_progress(100, "Report complete")

    async def _compute(
        self, request: ReportRequest, context: JobExecutionContext
    ) -> list[ReportRow]:
        try:
            path = self._sources.path(request)
            # In threads: computing on the event loop would hold up all other jobs.
            count = await anyio.to_thread.run_sync(_count, path, context)
            context.log(f"Processing {count} records")
            context.report_progress(50, "Halfway done")
            return await anyio.to_thread.run_sync(_group, path, request, context)
        except UnreadableCsv as error:
            msg = f"The source {request.source!r} cannot be read: {error}"
            raise PermanentJobError(msg) from error
        except UnknownSource as error:
            raise PermanentJobError(str(error)) from error
        except FileNotFoundError as error:
            msg = f"The file of the source {request.source!r} is gone."
            raise PermanentJobError(msg) from error


def _count(path: Path, context: JobExecutionContext) -> int:
    """Read the whole source once, so that an error at its end is found before any work is done."""
    return sum(1 for _ in _stoppable(read_records(path), context))


def _group(path: Path, request: ReportRequest, context: JobExecutionContext) -> list[ReportRow]:
    return group_records(_stoppable(read_records(path), context), request.type)


def _stoppable(records: Iterable[Record], context: JobExecutionContext) -> Iterator[Record]:
    """Pass the records on, and stop when the job was cancelled: a thread has to look by itself."""
    for number, record in enumerate(records):
        if number % _RECORDS_BETWEEN_LOOKS == 0:
            context.raise_if_cancelled()
        yield record
