"""Running an attempt in a process of its own, which is killed when it does not stop in time."""

import asyncio
import logging
from typing import Final

from modhost.clock import Clock
from modhost_background_jobs.contracts import RegisteredJob
from modhost_background_jobs.model import LogLine, ProgressUpdate
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.outcome import Outcome, interrupted, stopped
from modhost_background_jobs.worker.attempts.runner import time_limit
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.processes.job_process import JobProcess, ProcessNotStarted
from modhost_background_jobs.worker.processes.messages import Log, Over, Progress, Stop
from modhost_background_jobs.worker.processes.pool import ProcessPool

logger = logging.getLogger(__name__)

SHUTDOWN_SECONDS: Final = 1.0
"""The longest grace when the worker shuts down: the job had the grace of the shutdown before."""


class ProcessRunner:
    """Runs attempts as `AttemptRunner` does, and takes what they report; stores nothing."""

    def __init__(
        self,
        pool: ProcessPool,
        buffer: ProgressBuffer,
        options: BackgroundJobsOptions,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._buffer = buffer
        self._options = options
        self._clock = clock

    async def tend(self) -> None:
        """Look after the processes until cancelled."""
        await self._pool.tend()

    async def run(self, attempt: Attempt, registered: RegisteredJob) -> Outcome:
        """Run the attempt to its end; every end of it, and of its process, is an outcome."""
        if attempt.is_to_stop:
            return stopped(attempt, registered, self._options, self._clock.now())
        # As long as nothing has begun there is nothing to be asked.
        attempt.on_stop = attempt.scope.cancel
        try:
            with attempt.scope:
                return await self._run(attempt, registered)
        finally:
            attempt.on_stop = None
        return stopped(attempt, registered, self._options, self._clock.now())

    async def _run(self, attempt: Attempt, registered: RegisteredJob) -> Outcome:
        try:
            process = await self._pool.begin(attempt.claimed)
        except ProcessNotStarted as error:
            return self._interrupted(attempt, registered, f"its process did not start: {error}")
        try:
            over = await _Following(process, attempt, self._buffer, self._options).until_over()
        except BaseException:
            process.kill()
            await process.end()
            raise
        if over is not None:
            await self._pool.give_back(process)
            return None if attempt.reason is StopReason.LOST_LEASE else over.outcome
        ending = await process.end()
        if attempt.is_to_stop:
            return stopped(attempt, registered, self._options, self._clock.now())
        return self._interrupted(attempt, registered, f"its process {ending}.")

    def _interrupted(self, attempt: Attempt, registered: RegisteredJob, error: str) -> Outcome:
        return interrupted(attempt, error, registered, self._options, self._clock.now())


class _Following:
    """One attempt, from the moment its process has begun it."""

    def __init__(
        self,
        process: JobProcess,
        attempt: Attempt,
        buffer: ProgressBuffer,
        options: BackgroundJobsOptions,
    ) -> None:
        self._process = process
        self._attempt = attempt
        self._buffer = buffer
        self._grace = options.kill_grace.total_seconds()
        self._kill: asyncio.TimerHandle | None = None

    async def until_over(self) -> Over | None:
        """Take what the attempt reports until it is over; None when its process ended first."""
        lease = self._attempt.claimed.lease
        self._attempt.on_stop = self._ask_to_stop
        try:
            with time_limit(self._attempt):
                while (message := await self._process.receive()) is not None:
                    match message:
                        case Progress():
                            update = ProgressUpdate(
                                lease, message.percentage, message.message, message.reported_at
                            )
                            self._buffer.report(update)
                        case Log():
                            line = LogLine(
                                lease, message.number, message.logged_at, message.message
                            )
                            self._buffer.log(line)
                        case Over():
                            return message
            return None
        finally:
            # The process may have another attempt by the time at which it would be killed.
            self._attempt.on_stop = None
            if self._kill is not None:
                self._kill.cancel()

    def _ask_to_stop(self) -> None:
        reason = self._attempt.reason
        if reason is None or reason is StopReason.LOST_LEASE:
            # Nothing that it could still do would count.
            self._process.kill()
            return
        self._process.send(Stop(self._attempt.claimed.lease, reason))
        grace = self._grace
        if reason is StopReason.SHUTDOWN:
            grace = min(grace, SHUTDOWN_SECONDS)
        self._kill = asyncio.get_running_loop().call_later(grace, self._kill_now, grace)

    def _kill_now(self, grace: float) -> None:
        claimed = self._attempt.claimed
        logger.warning(
            "Killing the process of the job %s (%s), which was asked to stop %g s ago.",
            claimed.lease.job_id,
            claimed.job_type,
            grace,
        )
        self._process.kill()
