"""Attempts that were asked to stop and do not: nobody can end a thread from outside."""

import logging
from collections.abc import Iterable
from typing import Final

from modhost.clock import Clock
from modhost_background_jobs.model import Lease, LogLine
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer

logger = logging.getLogger(__name__)

GRACE_SECONDS: Final = 10.0
REMARK: Final = (
    "Asked to stop (%s) %g s ago and still running: it has to look at context.cancelled, or to let "
    "its cancellation through."
)


class UnresponsiveAttempts:
    """Tells of each once, in the worker's log and in the job's, and of all in the health."""

    def __init__(self, buffer: ProgressBuffer, clock: Clock) -> None:
        self._buffer = buffer
        self._clock = clock
        self._asked: dict[Lease, float] = {}
        self._deaf: dict[Lease, str] = {}

    def look(self, attempts: Iterable[Attempt]) -> None:
        """See which have been asked to stop for longer than the grace; to be called now and then.

        The processes of jobs are not among them: they are killed.
        """
        now = self._clock.monotonic()
        asked = [each for each in attempts if each.is_to_stop and not each.over]
        asked = [each for each in asked if each.place != "process"]
        self._asked = {
            each.claimed.lease: self._asked.get(each.claimed.lease, now) for each in asked
        }
        self._deaf = {lease: job for lease, job in self._deaf.items() if lease in self._asked}
        for attempt in asked:
            lease = attempt.claimed.lease
            if lease not in self._deaf and now - self._asked[lease] >= GRACE_SECONDS:
                self._deaf[lease] = attempt.claimed.job_type
                self._tell(attempt, attempt.reason)

    def troubles(self) -> list[str]:
        """Return a sentence for each, for those who look after the worker."""
        return [
            f"The job {lease.job_id} ({job_type}) was asked to stop, and holds its slot still."
            for lease, job_type in self._deaf.items()
        ]

    def _tell(self, attempt: Attempt, reason: StopReason | None) -> None:
        claimed = attempt.claimed
        remark = REMARK % (reason.value if reason else "", GRACE_SECONDS)
        logger.warning(
            "The job %s (%s) does not stop. %s", claimed.lease.job_id, claimed.job_type, remark
        )
        line = LogLine(claimed.lease, next(attempt.lines), self._clock.now(), remark)
        self._buffer.log(line)
