"""Report attempts that do not stop when asked to: nobody can end a thread from outside."""

import logging
from collections.abc import Iterable
from typing import Final

from modhost.module import PeriodicService
from modhost.telemetry import LoggedIn
from modhost_background_jobs.model import CurrentWorker, Lease, LogLine
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, QueueClock
from modhost_background_jobs.worker.attempts.attempt import Attempt
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer

logger = logging.getLogger(__name__)

GRACE_SECONDS: Final = 10.0
REMARK: Final = (
    "Asked to stop (%s) %g s ago and still running: it has to check context.cancelled, or to let "
    "its cancellation through."
)


class UnresponsiveAttempts:
    """Reports each once, in the worker's log and in the job's, and all of them to the health.

    `grace_seconds` is how long an attempt may take to stop before it is reported.
    """

    def __init__(
        self, buffer: ProgressBuffer, clock: QueueClock, *, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        self.grace_seconds = grace_seconds
        self._buffer = buffer
        self._clock = clock
        self._asked_at: dict[Lease, float] = {}
        self._reported: dict[Lease, str] = {}

    def check(self, attempts: Iterable[Attempt]) -> None:
        """Find attempts that were asked to stop longer than the grace ago; called once a second.

        Attempts in processes are not among them: they are killed.
        """
        now = self._clock.monotonic()
        asked = [each for each in attempts if each.reason is not None and not each.is_finished]
        asked = [each for each in asked if each.runs_in != "process"]
        self._asked_at = {each.lease: self._asked_at.get(each.lease, now) for each in asked}
        self._reported = {
            lease: job for lease, job in self._reported.items() if lease in self._asked_at
        }
        for attempt in asked:
            is_late = now - self._asked_at[attempt.lease] >= self.grace_seconds
            if is_late and attempt.lease not in self._reported:
                self._reported[attempt.lease] = attempt.claimed.job_type
                self._report(attempt)

    @property
    def count(self) -> int:
        """How many there are: each holds a slot."""
        return len(self._reported)

    def troubles(self) -> list[str]:
        """Return a sentence for each, for the health of the worker."""
        return [
            f"The job {lease.job_id} ({job_type}) was asked to stop, and still holds its slot."
            for lease, job_type in self._reported.items()
        ]

    def _report(self, attempt: Attempt) -> None:
        lease, reason = attempt.lease, attempt.reason
        remark = REMARK % (reason.value if reason else "", self.grace_seconds)
        with LoggedIn(attempt):
            logger.warning(
                "The job %s (%s) does not stop. %s", lease.job_id, attempt.claimed.job_type, remark
            )
        line = LogLine(lease, next(attempt.line_numbers), self._clock.now(), remark)
        self._buffer.log(line)


class UnresponsiveWatch(PeriodicService):
    """Records in the worker's row how many of its slots are held, for pages and the doctor."""

    name = "unresponsive watch"
    failure = "The record of jobs that do not stop"

    def __init__(
        self,
        unresponsive: UnresponsiveAttempts,
        store: JobStore,
        worker: CurrentWorker,
        options: BackgroundJobsOptions,
    ) -> None:
        self._unresponsive = unresponsive
        self._store = store
        self._worker = worker
        self._noted = 0
        self.interval = options.heartbeat_interval.total_seconds()

    async def step(self) -> None:
        """Record it while there are any, since the row may be a new one, and at their end."""
        count = self._unresponsive.count
        if self._worker.name is not None and (count or self._noted):
            await self._store.note_unresponsive(self._worker.name, count)
            self._noted = count
