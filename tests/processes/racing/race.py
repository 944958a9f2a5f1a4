"""The race: workers that run jobs under limits, and somebody who kills them meanwhile."""

import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import anyio
from sqlalchemy import func, select, text

from modhost_background_jobs.contracts import JobConflict, JobState
from modhost_background_jobs.storage.tables import FINISHED, JOBS
from processes.deployment import Deployment
from processes.host_process import POLL_SECONDS, HostProcess
from processes.racing import racing_jobs
from processes.racing.broken import AHEAD
from processes.racing.ledger import Account, Ledger, read
from processes.racing.racing_jobs import Item, RacingModule
from processes.racing.starts import Starts, read_starts, record_starts

OPTIONS = {
    "heartbeat_interval": "500ms",
    "stall_timeout": "3s",
    "stall_sweep_interval": "500ms",
    "retry_base_delay": "50ms",
    "shutdown_grace": "2s",
    "max_concurrency": "8",
    "max_rescues": "100",
}
"""No job is given up because its workers were killed."""
KEYS = 20
BATCH = 500
CANCELLED = 0.02
"""The share of jobs that somebody cancels."""
STUCK_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """How large a race is; `broken` names a fault of `broken.VARIANTS` for its workers."""

    jobs: int
    kill_after: float = 2.0
    kills: int = 10_000
    workers: int = 4
    seed: int = 1
    broken: str = ""


@dataclass
class Result:
    """What became of a race."""

    seconds: float
    kills: int
    stops: int
    account: Account
    starts: Starts
    states: dict[str, int]
    missing: set[UUID]
    deadlocks: int
    lost_leases: int
    faults: list[str] = field(default_factory=list)

    @property
    def excesses(self) -> list[str]:
        """Each moment or window with more than its limit."""
        return [*self.account.excesses, *self.starts.excesses]


class Race:
    """One race on one database."""

    def __init__(self, folder: Path, database_url: str, plan: Plan) -> None:
        self._deployment = Deployment(folder, database_url, RacingModule)
        self._path = folder / "ledger"
        self._plan = plan
        self._random = random.Random(plan.seed)  # noqa: S311 - it has to be repeatable
        self._processes: list[HostProcess] = []
        self._retired: list[HostProcess] = []
        self._ids: list[UUID] = []
        self._started = self._kills = self._stops = 0

    async def run(self) -> Result:
        """Run it until every job has ended, or none ends any more."""
        began = time.monotonic()
        async with self._deployment.producing():
            self._ledger = Ledger(self._path)
            await record_starts(self._deployment.database)
            self._processes = [self._start() for _ in range(self._plan.workers)]
            await self._deployment.ready(*self._processes)
            async with anyio.create_task_group() as group:
                group.start_soon(self._enqueue)
                group.start_soon(self._kill)
                await self._until_all_ended()
                group.cancel_scope.cancel()
            return await self._result(time.monotonic() - began)

    def _start(self) -> HostProcess:
        broken = self._plan.broken
        self._started += 1
        ahead = AHEAD.get(broken, 0) * (self._started % 2)
        return self._deployment.start(ahead=str(ahead), modules__racing__broken=broken, **OPTIONS)

    async def _enqueue(self) -> None:
        left = self._plan.jobs
        while left > 0:
            size = min(left, BATCH)
            left -= size
            job_class = self._random.choice
            by_class: dict[type[racing_jobs.RacingJob], list[Item]] = {}
            for _ in range(size):
                by_class.setdefault(job_class(racing_jobs.JOBS), []).append(self._item())
            for each, items in by_class.items():
                ids = await self._deployment.jobs.scheduling.enqueue_many(each, items)
                self._ids += ids
            for id_ in self._random.sample(self._ids[-size:], int(size * CANCELLED)):
                with suppress(JobConflict):
                    await self._deployment.cancel(id_)

    def _item(self) -> Item:
        return Item(
            # Some keys have many jobs, and most have few.
            key=str(int(KEYS * self._random.random() ** 2)),
            partner=str(self._random.randrange(KEYS // 4)),
            seconds=self._random.choice((0.0, 0.005, 0.03, 0.1)),
            failures=self._random.choice((0,) * 8 + (1, 2)),
            snoozes=self._random.choice((0.0,) * 4 + (0.5,)),
        )

    async def _kill(self) -> None:
        """Kill a worker now and then, or stop one in order, and start another in its place."""
        while self._kills + self._stops < self._plan.kills:
            await anyio.sleep(self._plan.kill_after * self._random.uniform(0.5, 1.5))
            victim = self._processes.pop(self._random.randrange(len(self._processes)))
            if self._kills and self._random.random() < 0.2:
                self._stops += 1
                victim.signal(signal.SIGTERM)
                await victim.exit_code()
            else:
                self._kills += 1
                victim.kill()
            self._ledger.died(victim.pid)
            self._retired.append(victim)
            self._processes.append(self._start())

    async def _until_all_ended(self) -> None:
        ended, changed_at = -1, time.monotonic()
        while ended < self._plan.jobs and time.monotonic() - changed_at < STUCK_SECONDS:
            await anyio.sleep(10 * POLL_SECONDS)
            if (now := await self._count()) != ended:
                ended, changed_at = now, time.monotonic()

    async def _count(self) -> int:
        async with self._deployment.database.reading() as session:
            count = select(func.count()).select_from(FINISHED)
            found: int = (await (await session.connection()).execute(count)).scalar_one()
            return found

    async def _result(self, seconds: float) -> Result:
        states: dict[str, int] = {}
        known: set[UUID] = set()
        deadlocks = 0
        async with self._deployment.database.reading() as session:
            connection = await session.connection()
            for table in (JOBS, FINISHED):
                for id_, state in await connection.execute(select(table.c.id, table.c.state)):
                    known.add(id_)
                    states[state] = states.get(state, 0) + 1
            if self._deployment.database.dialect == "postgresql":
                counted = "SELECT deadlocks FROM pg_stat_database WHERE datname=current_database()"
                deadlocks = (await connection.execute(text(counted))).scalar_one()
        logs = "".join(each.log for each in (*self._processes, *self._retired))
        result = Result(
            seconds=seconds,
            kills=self._kills,
            stops=self._stops,
            account=read(self._path),
            starts=await read_starts(self._deployment.database),
            states=states,
            missing=set(self._ids) - known,
            deadlocks=deadlocks,
            lost_leases=logs.count("lost lease"),
        )
        result.faults = self._faults(result)
        return result

    def _faults(self, result: Result) -> list[str]:
        """Return what must not have happened, besides more than the limit of a key."""
        faults = [f"{len(result.missing)} jobs are lost"] if result.missing else []
        allowed = {JobState.COMPLETED.value, JobState.CANCELLED.value}
        faults += [
            f"{n} jobs are {name}" for name, n in result.states.items() if name not in allowed
        ]
        if sum(result.states.values()) != self._plan.jobs:
            faults.append(f"there are {sum(result.states.values())} jobs, not {self._plan.jobs}")
        if result.deadlocks:
            faults.append(f"{result.deadlocks} deadlocks")
        return faults
