"""Jobs with steps, and what those did."""

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, SecretStr
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from background_jobs.jobs_module import ProbedJob
from modhost_background_jobs.contracts import JobExecutionContext, Snooze, StepError

LEDGER = "step_ledger"


async def insert_into_ledger(session: AsyncSession, number: int) -> None:
    insert = text(f"INSERT INTO {LEDGER} VALUES (:number)")
    await (await session.connection()).execute(insert, {"number": number})


class Payment(BaseModel):
    order: int
    amount: float
    token: SecretStr = SecretStr("very secret")


class Order(BaseModel):
    """`failures` is how often the attempt fails after its steps."""

    number: int = 1
    failures: int = 0


class StepJob(ProbedJob):
    """The functions of steps, which count their calls."""

    max_attempts: ClassVar[int | None] = 5
    calls: ClassVar[Counter[str]]
    results: ClassVar[list[object]]

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        cls.calls, cls.results = Counter(), []

    async def charge(self, order: Order) -> Payment:
        self.calls["charge"] += 1
        return Payment(order=order.number, amount=9.5)

    def compute(self, payment: Payment) -> list[int]:
        self.calls["compute"] += 1
        self.calls[threading.current_thread().name] += 1
        return [payment.order, payment.order + 1]

    async def nothing(self) -> None:
        self.calls["nothing"] += 1

    async def book(self, session: AsyncSession, order: Order) -> int:
        self.calls["book"] += 1
        await insert_into_ledger(session, order.number)
        return order.number

    def end_attempt(self, context: JobExecutionContext[Order]) -> None:
        if context.attempt <= context.data.failures:
            msg = f"failure {context.attempt}"
            raise ValueError(msg)


class Steps(StepJob):
    data_model = Order

    async def execute(self, context: JobExecutionContext[Order]) -> None:
        payment = await context.step("charge", self.charge, context.data)
        numbers = await context.step("compute", self.compute, payment)
        await context.step("nothing", self.nothing)
        booked = await context.step("book", self.book, context.data, transactional=True)
        self.results.append((payment, numbers, booked))
        self.end_attempt(context)


class StepsInThread(StepJob):
    data_model = Order

    def execute(self, context: JobExecutionContext[Order]) -> None:
        steps = context.from_thread
        payment = steps.step("charge", self.charge, context.data)
        numbers = steps.step("compute", self.compute, payment)
        booked = steps.step("book", self.book, context.data, transactional=True)
        self.results.append((payment, numbers, booked))
        self.end_attempt(context)


class SnoozesBetween(StepJob):
    data_model = Order

    async def execute(self, context: JobExecutionContext[Order]) -> None:
        await context.step("charge", self.charge, context.data)
        if self.calls["snoozed"] < 2:
            self.calls["snoozed"] += 1
            raise Snooze(timedelta(seconds=0.02))


class RetriesItsStep(StepJob):
    """Calls a step again whose function has raised."""

    data_model = Order

    async def execute(self, context: JobExecutionContext[Order]) -> None:
        for _ in range(3):
            try:
                await context.step("flaky", self.flaky)
            except OSError:
                continue
            else:
                return

    async def flaky(self) -> None:
        self.calls["flaky"] += 1
        if self.calls["flaky"] < 3:
            raise OSError


class NamesTwice(StepJob):
    async def execute(self, context: JobExecutionContext) -> None:
        await context.step("one", self.nothing)
        await context.step("one", self.nothing)


class ReturnsASocket(StepJob):
    async def execute(self, context: JobExecutionContext) -> None:
        await context.step("connect", self.connect)

    async def connect(self) -> threading.Thread:
        return threading.current_thread()


class ReturnsAnythingElse(StepJob):
    """Says that it returns a number."""

    async def execute(self, context: JobExecutionContext) -> None:
        await context.step("count", self.count)

    async def count(self) -> int:
        self.calls["count"] += 1
        return "many"  # type: ignore[return-value]


class ReturnsTooMuch(StepJob):
    async def execute(self, context: JobExecutionContext) -> None:
        await context.step("read", lambda: "x" * 1_000_000)


class CommitsByItself(StepJob):
    data_model = Order

    async def execute(self, context: JobExecutionContext[Order]) -> None:
        await context.step("book", self.commit, context.data, transactional=True)

    async def commit(self, session: AsyncSession, order: Order) -> None:
        await self.book(session, order)
        await session.commit()


class NamesBadly(StepJob):
    async def execute(self, context: JobExecutionContext) -> None:
        for name in ("", " ", "x" * 201, "a\0b"):
            try:
                await context.step(name, self.nothing)
            except StepError:
                self.calls["refused"] += 1
        await context.step("x" * 200, self.nothing)


class WaitsInSteps(StepJob):
    """Waits for the gates of the probe, in a task and in a thread."""

    data_model = Order

    async def execute(self, context: JobExecutionContext[Order]) -> None:
        await context.step("thread", self.in_thread)
        await context.step("task", self.in_task)

    def in_thread(self) -> None:
        self.calls["thread"] += 1
        self.probe.thread_gate.wait(20)

    async def in_task(self) -> None:
        self.calls["task"] += 1
        await self.probe.gate.wait()


JOBS: Sequence[type[StepJob]] = (
    Steps,
    StepsInThread,
    SnoozesBetween,
    RetriesItsStep,
    NamesTwice,
    ReturnsASocket,
    ReturnsAnythingElse,
    ReturnsTooMuch,
    CommitsByItself,
    NamesBadly,
    WaitsInSteps,
)
