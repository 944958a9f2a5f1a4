"""The CSV files that reports are made of: those shipped with the module, and uploads."""

import logging
from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost import Clock, HostedService, new_id
from modhost_background_jobs.contracts import BackgroundJobs, JobId, JobState
from modhost_reports_example.contracts import ReportRequest, ReportType, UnknownSource
from modhost_reports_example.options import ReportsOptions
from modhost_reports_example.storage import ReportStorage

logger = logging.getLogger(__name__)

SWEEP_INTERVAL_SECONDS: Final = 600.0
ORPHANED_AFTER: Final = timedelta(hours=1)
_SHIPPED: Final = Path(__file__).parent / "data"
_NEEDED: Final = (JobState.PENDING, JobState.RUNNING, JobState.FAILED)


class Sources:
    """Finds CSV files, and stores uploads."""

    def __init__(self, options: ReportsOptions) -> None:
        self._uploads = options.upload_folder

    def names(self) -> list[str]:
        """Return the names of the shipped sources."""
        return sorted(path.stem for path in _SHIPPED.glob("*.csv"))

    def check(self, request: ReportRequest) -> None:
        """Raise `UnknownSource` unless the source is shipped or an upload."""
        if request.upload is None and request.source not in self.names():
            names = ", ".join(self.names())
            raise UnknownSource(f"There is no source {request.source!r}; choose one of: {names}.")

    def path(self, request: ReportRequest) -> Path:
        """Return the file of a request. Raises `UnknownSource`."""
        if request.upload is not None:
            return self._uploaded(request.upload)
        self.check(request)
        return _SHIPPED / f"{request.source}.csv"

    def shipped(self, source: str) -> Path:
        """Return the file of a shipped source. Raises `UnknownSource`."""
        return self.path(ReportRequest(type=ReportType.YEARLY, source=source))

    async def store(self, chunks: AsyncIterable[bytes]) -> str:
        """Write an upload as it arrives, and return its name."""
        await anyio.Path(self._uploads).mkdir(parents=True, exist_ok=True)
        name = f"{new_id()}.csv"
        try:
            async with await anyio.open_file(self._uploads / name, "wb") as file:
                async for chunk in chunks:
                    await file.write(chunk)
        except BaseException:
            self.delete(name)
            raise
        return name

    def delete(self, upload: str) -> None:
        """Delete an upload, unless it is deleted already."""
        with suppress(FileNotFoundError):
            self._uploaded(upload).unlink()

    def last_written_before(self, moment: datetime) -> list[str]:
        """Return the names of the uploads that have not been written to since."""
        return [
            path.name
            for path in self._uploads.glob("*.csv")
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment
        ]

    def _uploaded(self, upload: str) -> Path:
        """Return the path of an upload, which cannot be outside the upload folder."""
        folder = self._uploads.resolve()
        path = (folder / upload).resolve()
        if path.parent != folder:
            raise UnknownSource(f"There is no upload {upload!r}.")
        return path


class UploadSweeper(HostedService):
    """Deletes uploads that no job needs any more.

    A job deletes its upload when it has made the report. The sweeper deletes those of jobs that
    were cancelled or deleted, and files without a job, whose host died before it enqueued one. The
    upload of a failed job stays as long as the job, because somebody may retry it.
    """

    name = "upload sweeper"

    def __init__(
        self, storage: ReportStorage, sources: Sources, jobs: BackgroundJobs, clock: Clock
    ) -> None:
        self._storage = storage
        self._sources = sources
        self._jobs = jobs
        self._clock = clock

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Sweep until cancelled."""
        task_status.started()
        while True:
            await anyio.sleep(SWEEP_INTERVAL_SECONDS)
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - the next sweep tries again
                logger.warning("Uploads could not be swept (%s); the next sweep retries.", error)

    async def sweep(self) -> None:
        """Delete the uploads that no job needs."""
        old = self._sources.last_written_before(self._clock.now() - ORPHANED_AFTER)
        uploads = await self._storage.uploads()
        for orphan in set(old).difference(upload for _, upload in uploads):
            self._sources.delete(orphan)
        for job_id, upload in uploads:
            status = await self._jobs.get_status(JobId(job_id))
            if status is None or status.state not in _NEEDED:
                self._sources.delete(upload)
                await self._storage.forget_upload(job_id)
