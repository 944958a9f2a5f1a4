"""The hosted service that deletes files that were sent and that nobody needs any more."""

import logging
from datetime import timedelta
from typing import Final

import anyio
from anyio.abc import TaskStatus

from modhost import Clock, HostedService
from modhost_background_jobs.contracts import BackgroundJobs, JobId, JobState
from modhost_reports_example.sources import Sources
from modhost_reports_example.storage import ReportStorage

logger = logging.getLogger(__name__)

INTERVAL_SECONDS: Final = 600.0
ORPHANED_AFTER: Final = timedelta(hours=1)
_NEEDED: Final = (JobState.PENDING, JobState.RUNNING, JobState.FAILED)


class UploadSweeper(HostedService):
    """Deletes the files of jobs that are over.

    The job does so itself when it has made the report; this is for those that were cancelled or
    deleted, and for files without any job, whose host died before it had ordered one. The file of a
    job that failed stays as long as the job does: somebody may retry it.
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
            await anyio.sleep(INTERVAL_SECONDS)
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - the files stay until the next try
                logger.warning("Uploads could not be swept (%s); tried again.", error)

    async def sweep(self) -> None:
        """Delete what nobody needs now."""
        old = self._sources.last_written_before(self._clock.now() - ORPHANED_AFTER)
        uploads = await self._storage.uploads()
        for orphan in set(old).difference(upload for _, upload in uploads):
            self._sources.forget(orphan)
        for job_id, upload in uploads:
            status = await self._jobs.get_status(JobId(job_id))
            if status is None or status.state not in _NEEDED:
                self._sources.forget(upload)
                await self._storage.forget_upload(job_id)
