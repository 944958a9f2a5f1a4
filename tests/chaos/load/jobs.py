"""Jobs with every feature of the queue, which note in the ledger when they run."""

import random
import time
from datetime import timedelta
from typing import Any, ClassVar

import anyio
from pydantic import BaseModel

from chaos.ledger import Ledger
from modhost.events import Event
from modhost_background_jobs.contracts import (
    Concurrency,
    Executor,
    Fair,
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    Rate,
    Snooze,
    Unique,
)


class Task(BaseModel):
    """The data of nearly every job here.

    Attributes:
        token: what its producer calls it.
        key: what limits and turns are for.
        partner: another such key.
        seconds: how long an attempt takes.
        failures: how many attempts fail first.
        snoozes: how likely an attempt is to be put off.
        fails: whether it fails permanently.

    """

    token: str
    key: str = ""
    partner: str = ""
    seconds: float = 0.0
    failures: int = 0
    snoozes: float = 0.0
    fails: bool = False


class ChaosJob(ModuleJob):
    data_model: ClassVar[Any] = Task
    max_attempts: ClassVar[int | None] = 5

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def counts_for(self, task: Task) -> list[str]:
        """Return the limits that a job counts for, as the ledger has them."""
        return []

    async def execute(self, context: JobExecutionContext) -> None:
        task = context.get_data(Task)
        with self.ledger.running(context, task.token, self, self.counts_for(task)):
            await anyio.sleep(task.seconds)
            leave(context, task)


class ThreadedJob(ChaosJob):
    def execute(self, context: JobExecutionContext) -> None:  # type: ignore[override]
        task = context.get_data(Task)
        with self.ledger.running(context, task.token, self, self.counts_for(task)):
            time.sleep(task.seconds)
            leave(context, task)


def leave(context: JobExecutionContext, task: Task) -> None:
    """Fail, snooze, or return."""
    if task.fails:
        raise PermanentJobError("as planned")
    if random.random() < task.snoozes:  # noqa: S311 - not for secrets
        raise Snooze(timedelta(seconds=0.05), "later")
    if context.attempt <= task.failures:
        msg = f"failure {context.attempt}"
        raise ValueError(msg)


class Filler(ChaosJob):
    """Keeps all slots at work."""

    priority = -50


class Plain(ChaosJob):
    pass


class Threaded(ThreadedJob):
    pass


class Apart(ThreadedJob):
    executor: ClassVar[Executor] = "process"


class Delayed(ChaosJob):
    pass


class Urgent(ChaosJob):
    queue = "urgent"
    priority = 50


class Turns(ChaosJob):
    fair = Fair(per="key")


class OneOfAKey(ChaosJob):
    concurrency = Concurrency(1, per="key")

    def counts_for(self, task: Task) -> list[str]:
        return [f"1:one.{task.key}"]


class TwoOfAKey(ThreadedJob):
    concurrency = Concurrency(2, per="key")

    def counts_for(self, task: Task) -> list[str]:
        return [f"2:two.{task.key}"]


class ThreeOfAPartner(ChaosJob):
    concurrency = Concurrency(3, per="partner", name="partner")

    def counts_for(self, task: Task) -> list[str]:
        return [f"3:partner.{task.partner}"]


class PartnerAndKey(ChaosJob):
    """Shares a limit with the type above, and has one of its own."""

    queue = "urgent"
    priority = 5
    concurrency = (Concurrency(3, per="partner", name="partner"), Concurrency(1, per="key"))

    def counts_for(self, task: Task) -> list[str]:
        return [f"3:partner.{task.partner}", f"1:both.{task.key}"]


class SomeStarts(ChaosJob):
    rate = Rate(4, timedelta(seconds=1), per="key")


class StartsOfTwo(ChaosJob):
    concurrency = Concurrency(2, name="slow")
    rate = Rate(10, timedelta(seconds=1))

    def counts_for(self, task: Task) -> list[str]:
        return ["2:slow"]


class Only(ChaosJob):
    unique = Unique(per="key")


class Pausable(ChaosJob):
    """Waits in a queue that its producer pauses now and then."""


class Doomed(ChaosJob):
    """Is cancelled with all others of its tag, unless it has ended before."""


class Part(ChaosJob):
    """Of a workflow."""


class Tick(ChaosJob):
    """Of a schedule."""


class Ordered(Event):
    """Something was ordered."""

    token: str


class OnOrder(ModuleJob[Ordered]):
    """Runs for each event."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def execute(self, context: JobExecutionContext[Ordered]) -> None:
        with self.ledger.running(context, context.data.token, self):
            await anyio.sleep(0.01)


JOBS = (
    Filler,
    Plain,
    Threaded,
    Apart,
    Delayed,
    Urgent,
    Turns,
    OneOfAKey,
    TwoOfAKey,
    ThreeOfAPartner,
    PartnerAndKey,
    SomeStarts,
    StartsOfTwo,
    Only,
    Pausable,
    Doomed,
    Part,
    Tick,
)
