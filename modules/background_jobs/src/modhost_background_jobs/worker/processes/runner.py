"""Running an attempt in a process of its own, which is killed when it does not stop in time."""

import asyncio
import logging
from typing import Final

from modhost.telemetry import LoggedIn
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt, StopReason
from modhost_background_jobs.worker.attempts.outcome import Outcome, Outcomes
from modhost_background_jobs.worker.attempts.runner import time_limit
from modhost_background_jobs.worker.finishing.progress import ProgressBuffer
from modhost_background_jobs.worker.processes import messages
from modhost_background_jobs.worker.processes.job_process import JobProcess
from modhost_background_jobs.worker.processes.pool import AttemptNotBegun, ProcessPool

logger = logging.getLogger(__name__)

MAX_SHUTDOWN_GRACE: Final = 1.0
"""Bounds `kill_grace` at shutdown, when `shutdown_grace` has passed already."""


class ProcessRunner:
    """Runs attempts as `AttemptRunner` does, and takes what they report; stores nothing."""

    def __init__(
        self,
        pool: ProcessPool,
        buffer: ProgressBuffer,
        outcomes: Outcomes,
        options: BackgroundJobsOptions,
    ) -> None:
        self._pool = pool
        self._buffer = buffer
        self._outcomes = outcomes
        self._kill_grace = options.kill_grace.total_seconds()

    async def run(self, attempt: Attempt) -> Outcome:
        """Run the attempt to its end; every end of it, and of its process, is an outcome."""
        if not attempt.is_to_stop:
            # As long as nothing has begun there is nobody to ask.
            attempt.on_stop = attempt.scope.cancel
            try:
                with attempt.scope, LoggedIn(attempt):
                    return await self._run(attempt)
            finally:
                attempt.on_stop = None
        return self._outcomes.stopped(attempt)

    async def _run(self, attempt: Attempt) -> Outcome:
        try:
            process = await self._pool.begin(attempt.claimed)
        except AttemptNotBegun as error:
            return self._outcomes.interrupted(attempt, str(error))
        try:
            done = await _Supervision(process, attempt, self._buffer, self._kill_grace).run()
        except BaseException:
            process.kill()
            await process.end()
            raise
        if done is not None:
            attempt.is_reported = True
            await self._pool.give_back(process)
            return None if attempt.reason is StopReason.LOST_LEASE else done.outcome
        ending = await process.end()
        if attempt.is_to_stop:
            return self._outcomes.stopped(attempt)
        return self._outcomes.interrupted(attempt, f"its process {ending}.")


class _Supervision:
    """The worker's side of one attempt, from the moment its process has begun it."""

    def __init__(
        self, process: JobProcess, attempt: Attempt, buffer: ProgressBuffer, kill_grace: float
    ) -> None:
        self._process = process
        self._attempt = attempt
        self._buffer = buffer
        self._kill_grace = kill_grace
        self._kill: asyncio.TimerHandle | None = None

    async def run(self) -> messages.Done | None:
        """Take what the attempt reports until it is done; None when its process ended first."""
        self._attempt.on_stop = self._ask_to_stop
        try:
            with time_limit(self._attempt):
                while (message := await self._process.receive()) is not None:
                    match message:
                        case messages.Progress():
                            self._buffer.report(message.update)
                        case messages.Log():
                            self._buffer.log(message.line)
                        case messages.Reached():
                            self._buffer.checkpoint(message.checkpoint)
                        case messages.Ending():
                            self._attempt.ends_itself = True
                            await self._buffer.keep(self._attempt.lease)
                            self._process.send(messages.Noted())
                        case messages.Done():
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
        self._process.send(messages.Stop(self._attempt.lease, reason))
        grace = self._kill_grace
        if reason is StopReason.SHUTDOWN:
            grace = min(grace, MAX_SHUTDOWN_GRACE)
        self._kill = asyncio.get_running_loop().call_later(grace, self._kill_now, grace)

    def _kill_now(self, grace: float) -> None:
        logger.warning(
            "Killing the process of the job %s (%s), which was asked to stop %g s ago.",
            self._attempt.lease.job_id,
            self._attempt.claimed.job_type,
            grace,
        )
        self._process.kill()
