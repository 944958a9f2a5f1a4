"""A trial: a deployment under load, one fault after another, and what the ledger says of it."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import anyio

from chaos.collecting import collect, count_jobs, note_slow_workers
from chaos.contention import Contention
from chaos.databases.served import Served
from chaos.faults.catalog import possible
from chaos.faults.fault import Fault
from chaos.judging.account import SECOND, Account
from chaos.judging.recovery import SHARE, Recovery, Sample, busy
from chaos.judging.stored import Stored
from chaos.judging.verdict import Evidence, violations
from chaos.load.jobs import Task, Tick
from chaos.load.stepped import ENTRIES
from chaos.requesting import request
from chaos.scene import SILENCE_SECONDS, Scene, Size
from modhost_background_jobs.contracts import CatchUpPolicy, OverlapPolicy, RecurringJobId
from processes.racing.starts import record_starts

POLL_SECONDS: Final = 0.5
LAST_DUE_SECONDS: Final = 15.0
"""What fell due that shortly before the end may not have fired yet."""
STUCK_SECONDS: Final = 60.0
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Plan:
    """How long a trial lasts, and of how many processes.

    Attributes:
        seconds: for how long faults are injected.
        seed: what they are drawn by.
        size: the processes.
        faults: the names of those to inject; all that are possible if there are none.
        rounds: how often each is injected at most.
        window: the seconds over which the throughput is averaged.
        patience: within how many seconds after a fault it has to be back; 0 not to judge it.

    """

    seconds: float
    seed: int
    size: Size = field(default_factory=Size)
    faults: Sequence[str] = ()
    rounds: int = 1_000
    window: float = 4.0
    patience: float = 30.0


@dataclass
class Result:
    """What a trial has found: `wrong` has a sentence for each violation."""

    seconds: float
    evidence: Evidence
    slow: int
    wrong: list[str]


class Trial:
    """One trial on one database."""

    def __init__(self, folder: Path, served: Served, plan: Plan) -> None:
        self._scene = Scene(folder, served, plan.size, plan.seed)
        self._plan = plan
        self._account = Account()
        self._ledger_folder = folder / "ledger"
        self._contention = Contention(self._scene.consumers, plan.window)
        self._evidence = Evidence(self._account, Stored(), SILENCE_SECONDS, plan.patience)

    async def run(self) -> Result:
        """Run it to the end of its last job, or until none ends any more."""
        began = time.monotonic()
        answers: Counter[str] = Counter()
        scene = self._scene
        async with scene.deployment.producing():
            async with scene.deployment.database.session() as session:
                await (await session.connection()).run_sync(ENTRIES.create)
            await record_starts(scene.deployment.database)
            await scene.open()
            async with anyio.create_task_group() as group:
                group.start_soon(request, scene, answers)
                schedules = await self._schedule()
                await self._inject()
                await self._end(schedules)
                group.cancel_scope.cancel()
            database = scene.deployment.database
            self._evidence.stored = await collect(database, self._read())
        self._evidence.answers = answers
        slow = note_slow_workers(self._read(), scene.all)
        return Result(time.monotonic() - began, self._evidence, slow, [*violations(self._evidence)])

    def _read(self) -> Account:
        return self._account.read(self._ledger_folder)

    async def _schedule(self) -> list[tuple[RecurringJobId, float]]:
        scheduling = self._scene.deployment.jobs.scheduling
        return [
            (
                await scheduling.add_recurring(
                    Tick,
                    name=overlap.name,
                    cron_expression="* * * * *",
                    data=Task(token=overlap.name, seconds=0.2),
                    overlap=overlap,
                    catch_up=CatchUpPolicy.ALL,
                ),
                time.time(),
            )
            for overlap in OverlapPolicy
        ]

    async def _inject(self) -> None:
        """Inject faults until the time is up, each once the one before is gone without a trace."""
        deadline = time.monotonic() + self._plan.seconds
        names = self._plan.faults
        faults = [each for each in possible(self._scene.served) if not names or each.name in names]
        await self._watch(self._plan.window)
        for _ in range(self._plan.rounds):
            for fault in self._scene.random.sample(faults, len(faults)):
                if time.monotonic() > deadline:
                    return
                await self._watch(self._plan.window)
                self._sample()
                await self._inject_one(fault)

    async def _watch(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._contention.sample()
            await anyio.sleep(POLL_SECONDS)
        self._contention.sample()

    async def _inject_one(self, fault: Fault) -> None:
        before, share = self._throughput(), self._contention.share()
        with self._scene.ledger.span("fault", name=fault.name):
            await fault.inject(self._scene)
        ended = time.monotonic()
        await self._watch(self._plan.window)
        seconds, best = None, 0.0
        last = ended + self._plan.window + self._plan.patience
        while seconds is None and time.monotonic() < last:
            # What others take of the processors is not the fault's.
            given = min(1.0, self._contention.share() / share)
            now = self._throughput() / given
            best = max(best, now)
            if now >= SHARE * before:
                seconds = time.monotonic() - self._plan.window - ended
            await self._watch(POLL_SECONDS)
        full = before / self._scene.size.all_slots if self._plan.patience else 0.0
        given = self._contention.share() / share
        self._evidence.recoveries.append(Recovery(fault.name, before, seconds, best, full, given))

    def _throughput(self) -> float:
        """Return the average of the last window."""
        until = time.monotonic_ns()
        return busy(self._read(), until - int(self._plan.window * SECOND), until)

    def _sample(self) -> None:
        for name, pid in self._scene.long_lived().items():
            process = Path("/proc", f"{pid}")
            pages = int((process / "statm").read_text().split()[1])
            descriptors = len(list((process / "fd").iterdir()))
            self._evidence.samples.append(Sample(name, pages * PAGE_BYTES, descriptors))

    async def _end(self, schedules: Sequence[tuple[RecurringJobId, float]]) -> None:
        """Stop the producers, and wait until all jobs have ended."""
        database, jobs = self._scene.deployment.database, self._scene.deployment.jobs
        (self._scene.folder / "quiet").touch()
        for (id_, since), overlap in zip(schedules, OverlapPolicy, strict=True):
            until = time.time() - LAST_DUE_SECONDS
            with self._scene.ledger.span("scheduled", name=overlap.name, since=since, until=until):
                await jobs.scheduling.disable_recurring(id_)
        left, changed_at = -1, time.monotonic()
        while left and time.monotonic() - changed_at < STUCK_SECONDS:
            await anyio.sleep(POLL_SECONDS)
            with suppress(*database.errors):
                if (now := await count_jobs(database)) != left:
                    left, changed_at = now, time.monotonic()
        if left:
            self._evidence.others.append(f"{left} jobs have not ended")
