"""Leases that ended otherwise than by what their attempts came to: by rescues, or by the attempts.

An attempt that has called `finish_in` has ended its job itself, if that transaction committed.
"""

import logging
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from modhost.database import may_pass
from modhost.failures import describe
from modhost.telemetry import LoggedIn
from modhost_background_jobs.model import LostLease, listed
from modhost_background_jobs.storage import JobStore, QueueClock
from modhost_background_jobs.storage.dialects import is_lock_timeout
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.attempts.outcome import Finished
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.write_retry import until_written

logger = logging.getLogger(__name__)

LOST_LEASE: Final = (
    "lost lease: the claim %d of job %s is no longer this worker's; "
    "what it did since is not stored."
)
LOST_LEASES: Final = (
    "lost lease: the claims of %d jobs are no longer this worker's; what they did since is not "
    "stored: %s."
)
FAILED_AFTERWARDS: Final = (
    "The job %s stays Completed, as it has ended itself by finish_in; its code failed afterwards: "
    "%s"
)


class LostLeases:
    """Settles the leases of attempts whose outcome could not be stored."""

    def __init__(self, store: JobStore, buffer: ProgressBuffer, clock: QueueClock) -> None:
        self._store = store
        self._buffer = buffer
        self._clock = clock

    async def settle(self, finished: Sequence[Finished]) -> set[UUID]:
        """Return the jobs that have ended themselves, and have the rescues of the others undone."""
        ended = await self._ended_by_themselves(finished)
        if lost := [each.attempt for each in finished if each.attempt.lease.job_id not in ended]:
            await self._take_back_rescues(lost)
        return ended

    async def _ended_by_themselves(self, finished: Sequence[Finished]) -> set[UUID]:
        may_have = [each for each in finished if each.attempt.ends_itself]
        if not may_have:
            return set()
        leases = [each.attempt.lease for each in may_have]
        ended = await until_written(lambda: self._store.completed(leases), "the end of jobs")
        await until_written(lambda: self._buffer.flush_rest(leases, ended), "progress and logs")
        for attempt, outcome, _ in may_have:
            if attempt.lease.job_id in ended and outcome is not None and outcome.error is not None:
                with LoggedIn(attempt):
                    logger.error(FAILED_AFTERWARDS, attempt.lease.job_id, outcome.error)
        return ended

    async def _take_back_rescues(self, lost: Sequence[Attempt]) -> None:
        """Let nobody believe that this worker has died of these jobs."""
        rescued = [
            LostLease(each.lease, each.claimed.rescues == 0 or each.has_stored_begin)
            for each in lost
        ]

        async def take_back() -> None:
            try:
                await self._store.take_back_rescues(rescued, self._clock.now())
            except Exception as error:
                # The ends of others are to be stored, which a lock would hold up.
                if may_pass(error) and not is_lock_timeout(error):
                    raise
                message = "Rescues of %d jobs could not be taken back (%s)."
                logger.warning(message, len(lost), describe(error))

        await until_written(take_back, "rescues that do not count")
        if len(lost) == 1:
            logger.warning(LOST_LEASE, lost[0].lease.fence, lost[0].lease.job_id)
        else:
            logger.warning(LOST_LEASES, len(lost), listed([each.lease.job_id for each in lost]))
