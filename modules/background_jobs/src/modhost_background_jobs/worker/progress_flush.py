"""The hosted service that writes progress and logs in batches."""

import logging

import anyio
from anyio.abc import TaskStatus

from modhost.background import HostedService
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queue.signals import wait_for
from modhost_background_jobs.worker.progress import ProgressBuffer

logger = logging.getLogger(__name__)


class ProgressFlushService(HostedService):
    """Flushes when a batch has come together, or an interval after the last flush."""

    name = "progress flush"

    def __init__(self, buffer: ProgressBuffer, options: BackgroundJobsOptions) -> None:
        self._buffer = buffer
        self._interval = options.progress_flush_interval.total_seconds()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Flush until cancelled, and once more then."""
        self._buffer.bind()
        task_status.started()
        try:
            while True:
                await wait_for(self._buffer.full.ticket(), self._interval)
                await self._flush()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(5):
                await self._flush()

    async def _flush(self) -> None:
        try:
            await self._buffer.flush()
        except Exception:
            logger.exception(
                "Progress and logs could not be written; they are kept and tried again."
            )
