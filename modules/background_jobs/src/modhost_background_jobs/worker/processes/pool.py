"""Keep processes of jobs warm: starting one takes as long as starting a host."""

import json
import logging
import sys
from typing import Final

import anyio

from modhost import Clock
from modhost.failures import describe, failures
from modhost.runtime.blueprint import HostBlueprint
from modhost_background_jobs.model import ClaimedJob
from modhost_background_jobs.worker.processes.job_process import JobProcess, ProcessNotStarted
from modhost_background_jobs.worker.processes.messages import Begun, Run

logger = logging.getLogger(__name__)

START: Final = "The start of a process for jobs"
RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
MAX_ATTEMPTS: Final = 200
IDLE_TIMEOUT: Final = 60.0
POLL_INTERVAL: Final = 5.0


class AttemptNotBegun(Exception):
    """The process of an attempt ended when it was given the job; the message says how."""


class ProcessPool:
    """Has as many processes as attempts ran in processes at the same time, and no more.

    One is replaced after many attempts, since their code may have left things behind, and ends
    after a minute without any.
    """

    def __init__(self, blueprint: HostBlueprint, clock: Clock) -> None:
        self._blueprint = blueprint
        self._clock = clock
        self._idle: list[tuple[JobProcess, float]] = []
        self._trying_again = anyio.Lock()
        self._failed = 0
        """How many starts in a row have failed."""
        self._retry_at = 0.0

    async def begin(self, claimed: ClaimedJob) -> JobProcess:
        """Begin an attempt in a process that is free, or in a new one, once one can be started.

        Raises `AttemptNotBegun`.
        """
        while self._idle:
            process, _ = self._idle.pop()
            # One that died while it was idle has not seen the attempt.
            if await _begin(process, claimed):
                return process
        process = await self._started()
        if await _begin(process, claimed):
            return process
        raise AttemptNotBegun(f"its process {await process.end()} before the job had begun.")

    async def give_back(self, process: JobProcess) -> None:
        """Take back a process whose attempt has finished."""
        if process.attempts >= MAX_ATTEMPTS:
            await process.leave()
        else:
            self._idle.append((process, self._clock.monotonic()))

    async def run(self) -> None:
        """End processes that are idle for long, until cancelled; all that are idle then."""
        try:
            while True:
                await anyio.sleep(POLL_INTERVAL)
                await self._end_idle(since=self._clock.monotonic() - IDLE_TIMEOUT)
        finally:
            with anyio.CancelScope(shield=True):
                await self._end_idle(since=self._clock.monotonic())

    def troubles(self) -> list[str]:
        """Return a sentence while no process can be started, for the health of the worker."""
        text = "No process can be started for jobs that have one of their own; the log says why."
        return [text] if self._failed else []

    async def _started(self) -> JobProcess:
        """Start a process; while that fails, one attempt tries again for all that wait."""
        while True:
            if not self._failed:
                process = await self._try_to_start()
            else:
                async with self._trying_again:
                    await anyio.sleep(max(0.0, self._retry_at - self._clock.monotonic()))
                    process = await self._try_to_start()
            if process is not None:
                return process

    async def _try_to_start(self) -> JobProcess | None:
        # The process imports the same code from the same places as this one.
        introduction = json.dumps({"path": sys.path, "host": self._blueprint.to_json()})
        try:
            process = await JobProcess.start(introduction)
        except ProcessNotStarted as error:
            pause = RETRY_SECONDS[min(self._failed, len(RETRY_SECONDS) - 1)]
            self._retry_at = self._clock.monotonic() + pause
            self._failed += 1
            failures.failed(logger, START, error)
            return None
        self._failed = 0
        failures.passed(START)
        return process

    async def _end_idle(self, since: float) -> None:
        ended = [process for process, idle_since in self._idle if idle_since <= since]
        self._idle = [each for each in self._idle if each[1] > since]
        async with anyio.create_task_group() as group:
            for process in ended:
                group.start_soon(_leave, process)


async def _leave(process: JobProcess) -> None:
    try:
        await process.leave()
    except Exception as error:  # noqa: BLE001 - nobody waits for it, and the others are in use
        logger.warning(
            "The process %d of jobs could not be ended (%s).", process.pid, describe(error)
        )


async def _begin(process: JobProcess, claimed: ClaimedJob) -> bool:
    """Give an attempt to a process, and return whether it has begun; else the process is ended."""
    process.attempts += 1
    process.send(Run(claimed))
    begun = False
    try:
        begun = isinstance(await process.receive(), Begun)
    finally:
        if not begun:
            process.kill()
            await process.end()
    return begun
