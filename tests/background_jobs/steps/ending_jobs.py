"""Jobs that end themselves in a transaction, and what else that writes."""

from typing import ClassVar

import anyio
from pydantic import BaseModel
from sqlalchemy import text, update
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Module, ServiceCollection, hookimpl
from modhost.database import Database
from modhost_background_jobs.contracts import (
    Executor,
    JobExecutionContext,
    ModuleJob,
    add_module_job,
)
from modhost_background_jobs.storage.tables import JOBS

LEDGER = "ending_ledger"


class Ending(BaseModel):
    """`way` is how the job comes to its end."""

    way: str = "commit"
    seconds: float = 0


class EndsItself(ModuleJob[Ending, str]):
    max_attempts: ClassVar[int | None] = 1

    def __init__(self, database: Database) -> None:
        self.database = database

    async def execute(self, context: JobExecutionContext[Ending]) -> str:
        way = context.data.way
        context.log("before")
        if way == "lost":
            await self._lose(context)
        async with self.database.session() as session:
            await write(session, way)
            if way == "savepoint":
                nested = await session.begin_nested()
                await context.finish_in(session, "undone")
                await nested.rollback()
            else:
                await context.finish_in(session, "done in the transaction")
                context.log("within")
            if way == "rollback":
                msg = "no commit"
                raise ValueError(msg)
        context.report_progress(50, "afterwards")
        await anyio.sleep(context.data.seconds)
        context.log("after")
        await self._fail(context)
        return "returned by execute"

    async def _lose(self, context: JobExecutionContext[Ending]) -> None:
        """Take the job away, as a rescue does."""
        async with self.database.session() as session:
            taken = update(JOBS).where(JOBS.c.id == context.job_id)
            values = {"fence": JOBS.c.fence + 1, "worker": "somebody else"}
            await (await session.connection()).execute(taken.values(values))

    async def _fail(self, context: JobExecutionContext[Ending]) -> None:
        match context.data.way:
            case "raise afterwards":
                msg = "too late"
                raise ValueError(msg)
            case "twice":
                async with self.database.session() as session:
                    await context.finish_in(session)


class EndsInProcess(EndsItself):
    executor: ClassVar[Executor] = "process"


class Remembers(ModuleJob[Ending, list[int]]):
    """Takes its steps in a process of its own, and fails at first."""

    executor: ClassVar[Executor] = "process"
    max_attempts: ClassVar[int | None] = 2

    async def execute(self, context: JobExecutionContext[Ending]) -> list[int]:
        written = await context.step("write", write, "step", transactional=True)
        attempt = await context.step("attempt", lambda: context.attempt)
        if context.attempt == 1:
            context.checkpoint([written])
            msg = "first failure"
            raise ValueError(msg)
        assert context.last_checkpoint(list[int]) == [written]
        return [written, attempt]


class RemembersInThread(Remembers):
    def execute(self, context: JobExecutionContext[Ending]) -> list[int]:  # type: ignore[override]
        steps = context.from_thread
        written = steps.step("write", write, "step", transactional=True)
        attempt = steps.step("attempt", lambda: context.attempt)
        if context.attempt == 1:
            msg = "first failure"
            raise ValueError(msg)
        return [written, attempt]


class Follows(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        context.log("followed")


async def write(session: AsyncSession, way: str) -> int:
    """Write a row, and return how many there are."""
    connection = await session.connection()
    await connection.execute(text(f"INSERT INTO {LEDGER} VALUES (:way)"), {"way": way})
    counted = await connection.execute(text(f"SELECT count(*) FROM {LEDGER}"))
    return int(counted.scalar_one())


class EndingModule(Module):
    name: ClassVar[str] = "ending"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for job in (EndsItself, EndsInProcess, Remembers, RemembersInThread, Follows):
            add_module_job(services, job)
