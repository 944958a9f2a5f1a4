"""Jobs whose transactional steps write to a ledger, which would show each that is taken twice."""

import random
from pathlib import Path
from typing import Any, ClassVar, Final

import anyio
from pydantic import BaseModel
from sqlalchemy import Column, Integer, MetaData, Table, insert
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Module, ModuleOptions, ServiceCollection, hookimpl
from modhost.database import Database
from modhost_background_jobs.contracts import (
    Executor,
    JobExecutionContext,
    ModuleJob,
    add_module_job,
)
from modhost_background_jobs.worker.attempts.steps.attempt_steps import AttemptSteps, Begun

LEDGER: Final = Table(
    "step_ledger", MetaData(), Column("entry", Integer), Column("job", Integer, nullable=True)
)
"""Nothing in it keeps an entry from being there twice."""
MAX_PAUSE: Final = 0.02


class Entries(BaseModel):
    """The entries of one job, each of which a step writes, after a pause in seconds."""

    first: int
    steps: int
    pause: float


class SteppingJob(ModuleJob[Entries, int]):
    max_attempts: ClassVar[int | None] = 100

    def __init__(self, database: Database) -> None:
        self.database = database

    async def execute(self, context: JobExecutionContext[Entries]) -> int:
        entries = context.data
        for entry in range(entries.first, entries.first + entries.steps):
            await anyio.sleep(entries.pause)
            written = await context.step(f"{entry}", self.write, entry, transactional=True)
            assert written == entry
        async with self.database.session() as session:
            await session.execute(insert(LEDGER).values(entry=-1, job=entries.first))
            await context.finish_in(session, entries.steps)
        return entries.steps

    async def write(self, session: AsyncSession, entry: int) -> int:
        await anyio.sleep(random.uniform(0, MAX_PAUSE))  # noqa: S311 - not for secrets
        await session.execute(insert(LEDGER).values(entry=entry))
        return entry


class SteppingInProcess(SteppingJob):
    executor: ClassVar[Executor] = "process"


class SteppingOptions(ModuleOptions):
    folder: Path
    broken: str = ""


class SteppingModule(Module):
    name: ClassVar[str] = "stepping"
    version: ClassVar[str] = "1.0"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    options: ClassVar[type[BaseModel]] = SteppingOptions

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: SteppingOptions) -> None:
        if options.broken:
            AttemptSteps._run_in_session = _note_apart  # type: ignore[method-assign]
        for job in (SteppingJob, SteppingInProcess):
            add_module_job(services, job)


async def _note_apart(self: AttemptSteps, step: Begun, function: Any, args: Any) -> Any:
    """Commit what a function has written, and then note that its step is done."""
    async with self._tools.database.session() as session:
        value = await function(session, *args)
    await anyio.sleep(5 * MAX_PAUSE)
    return await self.finish(step, value)
