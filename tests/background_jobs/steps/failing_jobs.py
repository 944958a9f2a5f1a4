"""Jobs whose steps meet with misfortune, and one that says too much."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import ClassVar

import anyio
from pydantic import BaseModel, SecretStr
from sqlmodel.ext.asyncio.session import AsyncSession

from background_jobs.jobs_module import ProbedJob
from background_jobs.steps.step_jobs import insert_into_ledger
from modhost_background_jobs.contracts import JobExecutionContext


class Token(BaseModel):
    token: SecretStr


class BooksAgain(ProbedJob):
    """Takes its transactional step again when it raises."""

    calls: ClassVar[Counter[str]] = Counter()
    meanwhile: ClassVar[Callable[[JobExecutionContext], object] | None] = None

    async def execute(self, context: JobExecutionContext) -> int:
        try:
            return await context.step("book", self.book, context, transactional=True)
        except OSError:
            return await context.step("book", self.book, context, transactional=True)

    async def book(self, session: AsyncSession, context: JobExecutionContext) -> int:
        self.calls["book"] += 1
        await insert_into_ledger(session, self.calls["book"])
        if type(self).meanwhile is not None:
            await type(self).meanwhile(context)  # type: ignore[misc]
        return self.calls["book"]


class SaysTooMuch(ProbedJob):
    max_attempts: ClassVar[int | None] = 2

    async def execute(self, context: JobExecutionContext) -> None:
        got = await context.step("log in", self.log_in)
        context.log(f"logged in with {got.token.get_secret_value()}")
        context.checkpoint(Token(token=SecretStr("another-secret")))
        msg = f"failed with {got.token.get_secret_value()} and another-secret"
        raise ValueError(msg)

    async def log_in(self) -> Token:
        return Token(token=SecretStr("token-of-a-step"))


class SideBySide(ProbedJob):
    """Takes two steps at the same time, each of which waits for the other."""

    async def execute(self, context: JobExecutionContext) -> list[str]:
        met = [anyio.Event(), anyio.Event()]

        async def meet(number: int) -> str:
            met[number].set()
            await met[1 - number].wait()
            return f"met {number}"

        names: list[str] = []

        async def take(number: int) -> None:
            names.append(await context.step(f"meet {number}", meet, number))

        async with anyio.create_task_group() as group:
            group.start_soon(take, 0)
            group.start_soon(take, 1)
        return sorted(names)


class Doubles:
    """Is called like a function."""

    async def __call__(self, number: int) -> int:
        return 2 * number


class Callables(ProbedJob):
    """Takes steps of all that can be called."""

    max_attempts: ClassVar[int | None] = 2

    async def execute(self, context: JobExecutionContext) -> list[object]:
        results: list[object] = [
            await context.step("an object", Doubles(), 2),
            await context.step("a partial", partial(Doubles(), 3)),
            await context.step("a built-in", max, 4, 5),
            await context.step("a lambda", lambda: {"six": 6}),
            await context.step("a coroutine", lambda: Doubles()(4)),
            (await context.step("a class", Decimal, "1.5")).is_finite(),
        ]
        if context.attempt == 1:
            raise ValueError
        return results


class WaitsOnTheLoop(ProbedJob):
    max_attempts: ClassVar[int | None] = 1

    async def execute(self, context: JobExecutionContext) -> None:
        context.from_thread.step("one", int)


FAILING = (BooksAgain, SaysTooMuch, SideBySide, Callables, WaitsOnTheLoop)
