"""The shutdown of a worker: jobs finish within the grace, stop when asked to, or are released."""

import logging
from typing import Final

import anyio

from modhost.failures import describe
from modhost_background_jobs.model import CurrentWorker, Released
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt, AttemptRegistry, StopReason
from modhost_background_jobs.worker.finishing.finisher import OutcomeWriter

logger = logging.getLogger(__name__)

STOP_TIMEOUT: Final = 2.0
RELEASE_TIMEOUT: Final = 5.0
IGNORED: Final = "released: it ignored the request to stop when its worker shut down."
CRASHED: Final = "released: the job processor of its worker crashed."


class Shutdown:
    """Ends what a worker runs, within the grace and some seconds more.

    `stop_timeout` is how long attempts have to obey a request to stop, in seconds.
    """

    def __init__(
        self,
        writer: OutcomeWriter,
        options: BackgroundJobsOptions,
        own: CurrentWorker,
        *,
        stop_timeout: float = STOP_TIMEOUT,
    ) -> None:
        self.stop_timeout = stop_timeout
        self._writer = writer
        self._own = own
        self._grace = options.shutdown_grace.total_seconds()

    async def drain(self, attempts: AttemptRegistry) -> None:
        """Let attempts finish, ask those that remain to stop, release those that do not."""
        if len(attempts):
            logger.info("Stopping: %d jobs have %g s to finish.", len(attempts), self._grace)
        with anyio.move_on_after(self._grace):
            await attempts.wait_until_left(0)
        self._own.unfinished = sum(map(_is_unfinished, attempts))
        for attempt in attempts:
            attempt.stop(StopReason.SHUTDOWN)
        with anyio.move_on_after(self.stop_timeout):
            await attempts.wait_until_left(0)
        with anyio.move_on_after(RELEASE_TIMEOUT):
            if attempts.is_abandoned:
                await self._release(attempts, CRASHED)
            else:
                await self._abandon(attempts)
                await self._release(attempts, IGNORED)

    async def _abandon(self, attempts: AttemptRegistry) -> None:
        """Stop waiting for attempts that do not stop."""
        for attempt in filter(_is_unfinished, attempts):
            logger.error(
                "The job %s (%s) ignores the request to stop; its %s is abandoned.",
                attempt.lease.job_id,
                attempt.claimed.job_type,
                attempt.runs_in,
            )
            attempt.abandon()
        with anyio.move_on_after(self.stop_timeout):
            await attempts.wait_until_left(0)

    async def _release(self, attempts: AttemptRegistry, error: str) -> None:
        """Let other workers have the jobs, except those whose outcome is yet to be stored."""
        left = [Released(each.lease, error=error) for each in filter(_is_unfinished, attempts)]
        if not left:
            return
        try:
            await self._writer.release(left)
        except Exception as failure:  # noqa: BLE001 - they are rescued from a worker that is gone
            logger.warning("%d jobs could not be released (%s).", len(left), describe(failure))


def _is_unfinished(attempt: Attempt) -> bool:
    return not attempt.is_finished and attempt.reason is not StopReason.LOST_LEASE
