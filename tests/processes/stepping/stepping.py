"""Workers that take transactional steps, and somebody who kills and suspends them meanwhile."""

import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio
from sqlalchemy import func, select

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage.tables import FINISHED, STEPS
from processes.deployment import Deployment
from processes.host_process import POLL_SECONDS, HostProcess
from processes.stepping.stepping_jobs import (
    LEDGER,
    Entries,
    SteppingInProcess,
    SteppingJob,
    SteppingModule,
)

OPTIONS: Final = {
    "heartbeat_interval": "300ms",
    "stall_timeout": "2s",
    "stall_sweep_interval": "300ms",
    "retry_base_delay": "50ms",
    "shutdown_grace": "1s",
    "max_concurrency": "4",
    "max_rescues": "100",
}
STEPS_OF_A_JOB: Final = 10
SUSPENDED_SECONDS: Final = 3.5
"""Long enough for others to take the worker for dead."""
STUCK_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Plan:
    """How many steps are taken, and how often somebody interferes; `broken` is a fault to find.

    Of the interferences `suspends` are the share that suspends a worker until it is taken for dead.
    `pause` are the seconds before each step.
    """

    steps: int
    kill_after: float = 1.0
    pause: float = 0.1
    kills: int = 10_000
    suspends: float = 0.2
    in_processes: float = 0.2
    workers: int = 3
    seed: int = 1
    broken: bool = False


@dataclass
class Result:
    """What the ledger shows: `faults` are sentences about what must not have happened."""

    seconds: float
    kills: int
    suspended: int
    entries: int
    attempts: int
    faults: list[str] = field(default_factory=list)


class Stepping:
    """One run on one database."""

    def __init__(self, folder: Path, database_url: str, plan: Plan) -> None:
        self._deployment = Deployment(folder, database_url, SteppingModule)
        self._plan = plan
        self._random = random.Random(plan.seed)  # noqa: S311 - it has to be repeatable
        self._processes: list[HostProcess] = []
        self._kills = self._suspended = 0

    async def run(self) -> Result:
        """Run until all jobs have ended, or none ends any more."""
        began = time.monotonic()
        async with self._deployment.producing():
            async with self._deployment.database.session() as session:
                await (await session.connection()).run_sync(LEDGER.create)
            self._processes = [self._start() for _ in range(self._plan.workers)]
            await self._deployment.ready(*self._processes)
            jobs = await self._enqueue()
            async with anyio.create_task_group() as group:
                group.start_soon(self._interfere)
                await self._until_ended(jobs)
                group.cancel_scope.cancel()
            return await self._result(jobs, time.monotonic() - began)

    def _start(self) -> HostProcess:
        broken = {"modules__stepping__broken": "1"} if self._plan.broken else {}
        return self._deployment.start(**OPTIONS, **broken)

    async def _enqueue(self) -> int:
        entries = [
            Entries(first=first, steps=STEPS_OF_A_JOB, pause=self._plan.pause)
            for first in range(0, self._plan.steps, STEPS_OF_A_JOB)
        ]
        apart = int(len(entries) * self._plan.in_processes)
        scheduling = self._deployment.jobs.scheduling
        await scheduling.enqueue_many(SteppingInProcess, entries[:apart])
        await scheduling.enqueue_many(SteppingJob, entries[apart:])
        return len(entries)

    async def _interfere(self) -> None:
        while self._kills + self._suspended < self._plan.kills:
            await anyio.sleep(self._plan.kill_after * self._random.uniform(0.5, 1.5))
            victim = self._processes.pop(self._random.randrange(len(self._processes)))
            if self._random.random() < self._plan.suspends:
                self._suspended += 1
                await self._deployment.suspend(victim)
                await anyio.sleep(SUSPENDED_SECONDS)
                # Its jobs run elsewhere by now, and it continues where it was.
                victim.signal(signal.SIGCONT)
                self._processes.append(victim)
            else:
                self._kills += 1
                victim.kill()
                self._processes.append(self._start())

    async def _until_ended(self, jobs: int) -> None:
        ended, changed_at = -1, time.monotonic()
        while ended < jobs and time.monotonic() - changed_at < STUCK_SECONDS:
            await anyio.sleep(10 * POLL_SECONDS)
            if (now := await self._count(FINISHED)) != ended:
                ended, changed_at = now, time.monotonic()

    async def _count(self, table: object) -> int:
        async with self._deployment.database.reading() as session:
            count = select(func.count()).select_from(table)  # type: ignore[arg-type]
            found: int = (await (await session.connection()).execute(count)).scalar_one()
            return found

    async def _result(self, jobs: int, seconds: float) -> Result:
        async with self._deployment.database.reading() as session:
            connection = await session.connection()
            rows = (await connection.execute(select(LEDGER))).all()
            ended = (await connection.execute(select(FINISHED.c.state, FINISHED.c.fence))).all()
            noted = (await connection.execute(select(func.count()).select_from(STEPS))).scalar_one()
        entries = Counter(row.entry for row in rows if row.entry >= 0)
        ends = Counter(row.job for row in rows if row.entry < 0)
        attempts = sum(row.fence for row in ended)
        result = Result(seconds, self._kills, self._suspended, entries.total(), attempts)
        states = Counter(row.state for row in ended)
        if states != {JobState.COMPLETED.value: jobs}:
            result.faults.append(f"of {jobs} jobs there are {dict(states)}")
        if missing := self._plan.steps - len(entries):
            result.faults.append(f"{missing} entries are missing")
        if twice := {entry: times for entry, times in entries.items() if times > 1}:
            result.faults.append(f"entries are there more than once: {twice}")
        if again := {job: times for job, times in ends.items() if times > 1}:
            result.faults.append(f"jobs have ended more than once: {again}")
        if noted != self._plan.steps:
            result.faults.append(f"{noted} steps are noted, not {self._plan.steps}")
        return result
