"""Workflows, their workers, and somebody who kills those."""

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

import anyio
from sqlalchemy import func, select, text

from modhost_background_jobs.contracts import Workflow, WorkflowNode
from modhost_background_jobs.contracts.states import RunWhen
from modhost_background_jobs.storage.tables import FINISHED, JOBS, WORKFLOWS
from processes.deployment import Deployment
from processes.host_process import POLL_SECONDS, HostProcess
from processes.killing.account import Account, PlannedJob, faults, read
from processes.killing.killing_jobs import KillingModule, Part, PartJob
from processes.racing.ledger import Ledger

OPTIONS: Final = {
    "heartbeat_interval": "500ms",
    "stall_timeout": "3s",
    "stall_sweep_interval": "500ms",
    "shutdown_grace": "2s",
    "max_concurrency": "8",
    "max_rescues": "100",
}
STUCK_SECONDS: Final = 60.0
FAILING: Final = 0.01
"""The share of jobs that fail."""


@dataclass(frozen=True)
class Plan:
    """How many workflows there are, of how many jobs each, and how often a worker is killed."""

    workflows: int
    jobs: int = 50
    kill_after: float = 0.8
    kills: int = 10_000
    workers: int = 4
    seed: int = 1


@dataclass
class Result:
    """What became of the workflows."""

    seconds: float
    kills: int
    account: Account
    states: dict[str, int]
    outcomes: dict[str, int]
    deadlocks: int
    taken_for_dead: int
    faults: list[str]


class Kills:
    """One trial on one database."""

    def __init__(self, folder: Path, database_url: str, plan: Plan) -> None:
        self._deployment = Deployment(folder, database_url, KillingModule)
        self._path = folder / "ledger"
        self._plan = plan
        self._random = random.Random(plan.seed)  # noqa: S311 - it has to be repeatable
        self._processes: list[HostProcess] = []
        self._retired: list[HostProcess] = []
        self._planned: dict[str, PlannedJob] = {}
        self._kills = 0

    async def run(self) -> Result:
        """Run it until every job has ended, or none ends any more."""
        began = time.monotonic()
        async with self._deployment.producing():
            self._ledger = Ledger(self._path)
            self._processes = [self._start() for _ in range(self._plan.workers)]
            await self._deployment.ready(*self._processes)
            async with anyio.create_task_group() as group:
                group.start_soon(self._kill)
                for number in range(self._plan.workflows):
                    async with self._deployment.jobs.scheduling.workflow(f"{number}") as workflow:
                        self._add_jobs(workflow)
                await self._until_all_ended()
                group.cancel_scope.cancel()
            return await self._result(time.monotonic() - began)

    def _start(self) -> HostProcess:
        return self._deployment.start(**OPTIONS)

    def _add_jobs(self, workflow: Workflow) -> None:
        """Add a fan-out, a fan-in, callbacks of all kinds, and a chain."""
        first = self._add(workflow, [])
        parts = [self._add(workflow, [first]) for _ in range(self._plan.jobs // 2)]
        last = self._add(workflow, parts)
        for when in get_args(RunWhen):
            self._add(workflow, parts, when)
        before = [first, *parts, last]
        for number in range(self._plan.jobs - len(parts) - 5):
            after = [last] if number < 5 else self._random.sample(before, 2)
            other: RunWhen = self._random.choice(get_args(RunWhen))
            last = self._add(workflow, after, "succeeded" if number < 5 else other)
            before.append(last)

    def _add(
        self, workflow: Workflow, after: list[WorkflowNode], when: RunWhen = "succeeded"
    ) -> WorkflowNode:
        part = Part(
            seconds=self._random.choice((0.0, 0.05, 0.2)), fails=self._random.random() < FAILING
        )
        node = workflow.add(PartJob, part, after=after, when=when)
        before = tuple(str(each.job_id) for each in after)
        self._planned[str(node.job_id)] = PlannedJob(str(node.job_id), before, when)
        return node

    async def _kill(self) -> None:
        """Kill a worker now and then, and start another in its place."""
        while self._kills < self._plan.kills:
            await anyio.sleep(self._plan.kill_after * self._random.uniform(0.5, 1.5))
            victim = self._processes.pop(self._random.randrange(len(self._processes)))
            victim.kill()
            self._kills += 1
            self._ledger.died(victim.pid)
            self._retired.append(victim)
            self._processes.append(self._start())

    async def _until_all_ended(self) -> None:
        ended, changed_at = -1, time.monotonic()
        while ended < len(self._planned) and time.monotonic() - changed_at < STUCK_SECONDS:
            await anyio.sleep(10 * POLL_SECONDS)
            async with self._deployment.database.reading() as session:
                count = select(func.count()).select_from(FINISHED)
                now = (await (await session.connection()).execute(count)).scalar_one()
            if now != ended:
                ended, changed_at = now, time.monotonic()

    async def _result(self, seconds: float) -> Result:
        states: dict[str, str] = {}
        outcomes: dict[str, int] = {}
        deadlocks = 0
        async with self._deployment.database.reading() as session:
            connection = await session.connection()
            for table in (JOBS, FINISHED):
                for id_, state in await connection.execute(select(table.c.id, table.c.state)):
                    states[str(id_)] = state
            for outcome in (await connection.execute(select(WORKFLOWS.c.outcome))).scalars():
                outcomes[str(outcome)] = outcomes.get(str(outcome), 0) + 1
            if self._deployment.database.dialect == "postgresql":
                counted = "SELECT deadlocks FROM pg_stat_database WHERE datname=current_database()"
                deadlocks = (await connection.execute(text(counted))).scalar_one()
        account = read(self._path)
        processes = [*self._processes, *self._retired]
        # Whoever was too slow for a moment is as good as dead, and says so.
        slow = [each for each in processes if "was taken for dead" in each.log]
        account.dead.update(str(each.pid) for each in slow)
        return Result(
            seconds=seconds,
            kills=self._kills,
            account=account,
            states={each: list(states.values()).count(each) for each in set(states.values())},
            outcomes=outcomes,
            deadlocks=deadlocks,
            taken_for_dead=len(slow),
            faults=[*faults(self._planned, states, account), *self._left(states, outcomes)],
        )

    def _left(self, states: dict[str, str], outcomes: dict[str, int]) -> list[str]:
        left = len(states.keys() ^ self._planned.keys())
        found = [f"{left} jobs are lost, or too many"] if left else []
        if "None" in outcomes or sum(outcomes.values()) != self._plan.workflows:
            found.append(f"not every workflow has its outcome: {outcomes}")
        return found
