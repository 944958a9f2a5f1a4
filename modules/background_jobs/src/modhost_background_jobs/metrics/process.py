"""What this process has counted itself: added without asking the database."""

from typing import Final

from modhost.metrics import Samples
from modhost_background_jobs.contracts import JobState, RegisteredJob
from modhost_background_jobs.maintenance.stalled_jobs import (
    BulkSweeperService,
    StalledJobSweeperService,
)
from modhost_background_jobs.metrics import declared
from modhost_background_jobs.metrics.known_jobs import known_jobs
from modhost_background_jobs.model import CurrentWorker, JobTypes
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import QueueClock
from modhost_background_jobs.worker.claiming.claim_loop import ClaimLoop
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.finishing.statistics import StatisticsService
from modhost_background_jobs.worker.processor import JobProcessorService
from modhost_background_jobs.worker.watching.unresponsive import UnresponsiveAttempts

_ENDS: Final = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED)
_RESCUED: Final = (JobState.PENDING, JobState.FAILED, JobState.CANCELLED)


class ProcessMetrics:
    """Reads the counts of the parts of a worker; in a host that runs no jobs they are 0."""

    def __init__(
        self,
        statistics: StatisticsService,
        sweepers: "Sweepers",
        claims: ClaimLoop,
        processor: JobProcessorService,
        unresponsive: UnresponsiveAttempts,
        buffer: ProgressBuffer,
        worker: CurrentWorker,
        options: BackgroundJobsOptions,
        registered: tuple[RegisteredJob, ...],
        types: JobTypes,
        clock: QueueClock,
    ) -> None:
        self._counts = statistics.counts
        self._sweepers = sweepers
        self._claims = claims
        self._processor = processor
        self._unresponsive = unresponsive
        self._buffer = buffer
        self._worker = worker
        self._slots = options.max_concurrency
        self._known = known_jobs(registered, types)
        self._clock = clock

    def add(self, samples: Samples) -> None:
        """Add everything."""
        self._add_ends(samples)
        self._add_load(samples)
        for state in _RESCUED:
            samples.add(declared.RESCUES, self._sweepers.rescued(state), state=state)

    def _add_ends(self, samples: Samples) -> None:
        for queue, job_type in self._known:
            samples.add(declared.RETRIES, 0, queue=queue, job_type=job_type)
            for state in _ENDS:
                samples.add(declared.FINISHED, 0, queue=queue, job_type=job_type, outcome=state)
        for queue, job_type, counts in self._counts:
            of = {"queue": queue, "job_type": job_type}
            for state, count in counts.by_outcome.items():
                samples.add(declared.FINISHED, count, outcome=state, **of)
            samples.add(declared.RETRIES, counts.retried, **of)
            samples.add(declared.WAIT, counts.waits, **of)
            samples.add(declared.RUN, counts.runs, **of)

    def _add_load(self, samples: Samples) -> None:
        samples.add(declared.CLAIMS, self._claims.begun)
        samples.add(declared.CLAIM_FAILURES, self._claims.failures)
        samples.add(declared.CLAIMED, self._claims.claimed)
        samples.add(declared.SLOTS, self._slots if self._worker.name else 0)
        samples.add(declared.HELD, len(self._processor.attempts))
        samples.add(declared.UNRESPONSIVE, self._unresponsive.count)
        entries, since = self._buffer.unwritten()
        lag = 0.0 if since is None else (self._clock.now() - since).total_seconds()
        samples.add(declared.FLUSH_ENTRIES, entries)
        samples.add(declared.FLUSH_LAG, max(0.0, lag))


class Sweepers:
    """The sweepers of a host: one for the jobs of workers, and one for bulk changes alone."""

    def __init__(self, stalled: StalledJobSweeperService, bulk: BulkSweeperService) -> None:
        self._sweepers = (stalled, bulk)

    def rescued(self, state: JobState) -> int:
        """Return how many jobs they have rescued that are in a state since."""
        return sum(each.rescued[state] for each in self._sweepers)
