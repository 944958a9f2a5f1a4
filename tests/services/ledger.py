"""A module whose scoped service is a session: committed at the end of a scope, if all went well."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import ClassVar

import anyio
from pydantic import BaseModel
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response, StreamingResponse

from modhost import ANYONE, Module, Scope, ServiceCollection, hookimpl
from modhost.database import Database
from modhost.events import Event
from modhost.web import Endpoints, Form, HttpProblem, Page, Pages, Slots
from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, add_module_job


async def session_of(database: Database) -> AsyncIterator[AsyncSession]:
    async with database.session() as session:
        yield session


async def write(session: AsyncSession, entry: str) -> None:
    statement = text("INSERT INTO entries_of_tests VALUES (:entry)")
    await (await session.connection()).execute(statement, {"entry": entry})


async def written(database: Database) -> list[str]:
    async with database.reading() as session:
        statement = text("SELECT entry FROM entries_of_tests")
        return list((await (await session.connection()).execute(statement)).scalars())


class Unknown(Exception):
    pass


class Transfer(BaseModel):
    to: str = ""


@dataclass(frozen=True)
class Transferred(Event):
    to: str


class Waiting:
    """Where a handler waits, until its client has left."""

    def __init__(self) -> None:
        self.has_begun = anyio.Event()

    async def forever(self) -> None:
        self.has_begun.set()
        await anyio.sleep_forever()


async def works(session: AsyncSession) -> None:
    await write(session, "works")


async def fails(session: AsyncSession) -> None:
    await write(session, "fails")
    raise ValueError("half way")


async def problem(session: AsyncSession) -> None:
    await write(session, "problem")
    raise HttpProblem(409, "There is one.")


async def mapped(session: AsyncSession) -> None:
    await write(session, "mapped")
    raise Unknown("Nobody knows it.")


async def unusable(session: AsyncSession) -> int:
    await write(session, "unusable")
    return object()  # type: ignore[return-value]


async def waits(session: AsyncSession, waiting: Waiting) -> None:
    await write(session, "waits")
    await waiting.forever()


async def streams(session: AsyncSession) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        yield "one"
        await write(session, "streams")
        yield "two"

    return StreamingResponse(parts())


async def breaks_off(session: AsyncSession) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        await write(session, "breaks off")
        yield "one"
        raise ValueError("half way")

    return StreamingResponse(parts())


async def never_ends(session: AsyncSession, waiting: Waiting) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        await write(session, "never ends")
        yield "one"
        await waiting.forever()

    return StreamingResponse(parts())


async def show(database: Database) -> Page:
    found = await written(database)
    return Page("modhost/base.html", {}, f"Entries: {','.join(found) or 'none'}")


async def send(session: AsyncSession, form: Form[Transfer]) -> Response:
    await write(session, "form")
    raise HttpProblem(409, f"{form.to} is closed.")


async def card(session: AsyncSession) -> Page:
    await write(session, "card")
    raise ValueError("half way")


class Move(ModuleJob):
    max_attempts = 1

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def execute(self, context: JobExecutionContext) -> None:
        await write(self._session, "job")
        raise ValueError("half way")


async def book(event: Transferred, session: AsyncSession) -> None:
    await write(session, f"event {event.to}")
    if event.to == "nobody":
        raise ValueError("half way")


class Ledger(Module):
    name: ClassVar[str] = "ledger"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    publishes: ClassVar[tuple[type[Event], ...]] = (Transferred,)
    route_prefix: ClassVar[str] = "/api/ledger"
    view_prefix: ClassVar[str] = "/ledger"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_scoped(AsyncSession, session_of)
        services.add_singleton(Waiting)
        services.subscribe(Transferred, book)
        add_module_job(services, Move)

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        async with (await scope.get(Database)).session() as session:
            created = text("CREATE TABLE entries_of_tests (entry varchar)")
            await (await session.connection()).execute(created)

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.map_error(Unknown, 404)
        for each in (works, fails, problem, mapped, unusable, waits):
            endpoints.get(f"/{each.__name__}", each, permission=ANYONE)
        for stream in (streams, breaks_off, never_ends):
            endpoints.get(f"/{stream.__name__}", stream, permission=ANYONE)

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        pages.get("/", show, permission=ANYONE)
        pages.post("/", send, permission=ANYONE)

    @hookimpl
    def configure_slots(self, slots: Slots) -> None:
        slots.card(card, permission=ANYONE)
