"""Execute attempts where their jobs ask for it, with care for those that may kill a worker."""

import random
from datetime import timedelta
from typing import Final

from modhost.runtime.shutdown import ShutdownSignal
from modhost.telemetry import ErrorReports, current_tracer
from modhost_background_jobs.model import Lease, Released, is_last_chance, is_suspect
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.storage import JobStore, QueueClock
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.failures import report_failure
from modhost_background_jobs.worker.attempts.outcome import Outcome, Outcomes
from modhost_background_jobs.worker.attempts.runner import AttemptRunner
from modhost_background_jobs.worker.attempts.tracing import note_outcome, processing
from modhost_background_jobs.worker.processes.runner import ProcessRunner
from modhost_background_jobs.worker.write_retry import until_written

POSTPONED_SECONDS: Final = (1.0, 20.0)
"""When a job that has to run alone is due again: at random, so that such jobs part."""


class AttemptExecutor:
    """Runs attempts in a task, a thread or a process, by the rules for poison jobs.

    That a suspect begins is stored, which distinguishes it from jobs that were claimed with it.
    Suspects that fail with their next rescue run one at a time: one that kills this worker takes
    no other with it into quarantine.
    """

    def __init__(
        self,
        runner: AttemptRunner,
        processes: ProcessRunner,
        outcomes: Outcomes,
        store: JobStore,
        options: BackgroundJobsOptions,
        shutdown: ShutdownSignal,
        reports: ErrorReports,
        clock: QueueClock,
    ) -> None:
        self._reports = reports
        self._runner = runner
        self._processes = processes
        self._outcomes = outcomes
        self._store = store
        self._max_rescues = options.max_rescues
        self._shutdown = shutdown
        self._clock = clock
        self._on_last_chance: set[Lease] = set()

    async def run(self, attempt: Attempt) -> Outcome:
        """Run the attempt to its end, or postpone it, and return what became of it."""
        rescues = attempt.claimed.rescues
        if is_suspect(rescues, self._max_rescues):
            if is_last_chance(rescues, self._max_rescues):
                return await self._run_alone(attempt)
            await self._store_begin(attempt)
        return await self._run(attempt)

    def failed(self, attempt: Attempt, error: BaseException) -> Outcome:
        """Return the outcome of an attempt whose `run` has raised."""
        attempt.error = error
        return self._unless_shut_down(attempt, self._outcomes.failed(attempt, error))

    async def _run_alone(self, attempt: Attempt) -> Outcome:
        if self._on_last_chance:
            wait = timedelta(seconds=random.uniform(*POSTPONED_SECONDS))  # noqa: S311
            return Released(attempt.lease, self._clock.now() + wait)
        self._on_last_chance.add(attempt.lease)
        try:
            await self._store_begin(attempt)
            return await self._run(attempt)
        finally:
            self._on_last_chance.discard(attempt.lease)

    async def _run(self, attempt: Attempt) -> Outcome:
        runner = self._runner_of(attempt)
        if (tracer := current_tracer()) is None:
            return self._unless_shut_down(attempt, await runner.run(attempt))
        with processing(tracer, attempt) as span:
            outcome = await runner.run(attempt)
            note_outcome(span, attempt, outcome)
            return self._unless_shut_down(attempt, outcome)

    def _unless_shut_down(self, attempt: Attempt, outcome: Outcome) -> Outcome:
        """Return the outcome, reported; a failure during a shutdown, maybe its cause, is a release.

        The programs that a job runs get the signals too: of a terminal, of a service manager.
        """
        if self._shutdown.has_begun and attempt.reason is not StopReason.TIMEOUT:
            outcome = self._outcomes.released_if_failed(attempt, outcome)
        report_failure(self._reports, attempt, outcome)
        return outcome

    async def _store_begin(self, attempt: Attempt) -> None:
        if not await until_written(
            lambda: self._store.note_begin(attempt.lease), "the begin of a job"
        ):
            attempt.stop(StopReason.LOST_LEASE)
        else:
            attempt.has_stored_begin = True

    def _runner_of(self, attempt: Attempt) -> AttemptRunner | ProcessRunner:
        return self._processes if attempt.runs_in == "process" else self._runner
