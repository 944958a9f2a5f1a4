"""Jobs whose transactional steps write entries, and jobs that cancel many others."""

from typing import Any, ClassVar, Final

import anyio
from pydantic import BaseModel
from sqlalchemy import Column, Integer, MetaData, String, Table, insert
from sqlmodel.ext.asyncio.session import AsyncSession

from chaos.ledger import Ledger
from modhost.database import Database
from modhost_background_jobs.bulk.changes import BulkRequests
from modhost_background_jobs.contracts import Executor, JobExecutionContext, ModuleJob
from modhost_background_jobs.queries.search.job_search import JobSearch

ENTRIES: Final = Table(
    "chaos_entries", MetaData(), Column("token", String), Column("number", Integer)
)
"""Nothing in it keeps an entry from being there twice."""


class Entries(BaseModel):
    """How many entries a job writes, the last together with its own end."""

    token: str
    steps: int


class Stepped(ModuleJob[Entries, int]):
    max_attempts: ClassVar[int | None] = 100

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self.database = database
        self.ledger = ledger

    async def execute(self, context: JobExecutionContext[Entries]) -> int:
        entries = context.data
        with self.ledger.running(context, entries.token, self):
            for number in range(entries.steps - 1):
                await anyio.sleep(0.05)
                name = f"{number}"
                await context.step(name, self.write, entries.token, number, transactional=True)
            async with self.database.session() as session:
                await self.write(session, entries.token, entries.steps - 1)
                await context.finish_in(session, entries.steps)
        return entries.steps

    async def write(self, session: AsyncSession, token: str, number: int) -> int:
        await session.execute(insert(ENTRIES).values(token=token, number=number))
        return number


class SteppedApart(Stepped):
    executor: ClassVar[Executor] = "process"


class Doom(BaseModel):
    token: str
    tag: str


class CancelMany(ModuleJob[Doom]):
    """Asks for the cancellation of all jobs with a tag, as people do on the page of jobs."""

    max_attempts: ClassVar[int | None] = 100

    def __init__(self, requests: BulkRequests, ledger: Ledger) -> None:
        self.requests = requests
        self.ledger = ledger

    async def execute(self, context: JobExecutionContext[Doom]) -> None:
        # An older version may have it elsewhere, and then fails: its job is tried again.
        from modhost_background_jobs.bulk.change import Change

        doom = context.data
        with self.ledger.running(context, doom.token, self):
            await self.requests.enqueue(Change.CANCEL, JobSearch(tag=doom.tag))


STEPPED: Final[tuple[type[ModuleJob[Any, Any]], ...]] = (Stepped, SteppedApart, CancelMany)
