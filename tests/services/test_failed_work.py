"""What failed leaves nothing half written: the clean-up of services learns how a scope was left."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.types import Message

from modhost.database import Database
from modhost.events import Events
from modhost.testing import RunningHost, running_host
from modhost_background_jobs.contracts import BackgroundJobs
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_background_jobs.testing import Jobs
from services.ledger import Ledger, Move, Transferred, Waiting, write, written

pytestmark = pytest.mark.anyio


@pytest.fixture
async def host(database_url: str) -> AsyncIterator[RunningHost]:
    config = {"host": {"database_url": database_url}}
    async with running_host([BackgroundJobsModule(), Ledger()], config=config) as running:
        yield running


async def entries(host: RunningHost) -> list[str]:
    return await written(await service(host, Database))


async def service(host: RunningHost, contract: type[Any]) -> Any:
    async with host.scope() as scope:
        return await scope.get(contract)


@pytest.mark.parametrize(
    ("path", "status"), [("fails", 500), ("problem", 409), ("mapped", 404), ("unusable", 500)]
)
async def test_a_failed_request_commits_nothing(host: RunningHost, path: str, status: int) -> None:
    client = await host.client()
    assert (await client.get(f"/api/ledger/{path}")).status_code == status
    assert await entries(host) == []


async def test_a_request_that_works_commits(host: RunningHost) -> None:
    client = await host.client()
    assert (await client.get("/api/ledger/works")).status_code == 204
    assert (await client.get("/api/ledger/streams")).text == "onetwo"
    assert await entries(host) == ["works", "streams"]


async def test_a_refused_form_is_shown_again_without_what_it_wrote(host: RunningHost) -> None:
    client = await host.client()
    answer = await client.post("/ledger", data={"to": "somebody"})
    assert answer.status_code == 409
    assert "Entries: none" in answer.text
    assert await entries(host) == []


async def test_a_card_that_fails_commits_nothing_and_the_page_is_shown(host: RunningHost) -> None:
    client = await host.client()
    assert (await client.get("/")).status_code == 200
    assert await entries(host) == []


async def test_a_stream_that_breaks_off_commits_nothing(host: RunningHost) -> None:
    client = await host.client()
    with pytest.raises(ValueError, match="half way"):
        await client.get("/api/ledger/breaks_off")
    assert await entries(host) == []


async def test_a_stream_whose_client_leaves_commits_nothing(host: RunningHost) -> None:
    await call(host, "/api/ledger/never_ends", leaves=await service(host, Waiting))
    assert await entries(host) == []


async def test_a_request_that_is_cancelled_commits_nothing(host: RunningHost) -> None:
    waiting: Waiting = await service(host, Waiting)
    async with anyio.create_task_group() as group:
        group.start_soon(call, host, "/api/ledger/waits")
        await waiting.has_begun.wait()
        group.cancel_scope.cancel()
    assert await entries(host) == []


async def test_a_failed_job_commits_nothing(host: RunningHost) -> None:
    async with Jobs.of(host) as jobs:
        scheduling: BackgroundJobs = jobs.scheduling
        await scheduling.enqueue(Move)
        (ended,) = await jobs.drain()
    assert "half way" in (ended.error or "")
    assert await entries(host) == []


async def test_a_failed_subscriber_commits_nothing(host: RunningHost) -> None:
    events: Events = await service(host, Events)
    await events.publish(Transferred("nobody"))
    await events.publish(Transferred("somebody"))
    with anyio.fail_after(10):
        while not (found := await entries(host)):
            await anyio.sleep(0.01)
    assert found == ["event somebody"]


async def test_a_scope_that_an_error_leaves_commits_nothing(host: RunningHost) -> None:
    async def fail() -> None:
        async with host.scope() as scope:
            await write(await scope.get(AsyncSession), "scope")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        await fail()
    assert await entries(host) == []


async def call(host: RunningHost, path: str, leaves: Waiting | None = None) -> None:
    """Send a request as a server does; the client leaves once the handler waits, if it does."""

    async def send(message: Message) -> None: ...

    async def receive() -> Message:
        if leaves is None:
            await anyio.sleep_forever()
        else:
            await leaves.has_begun.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "asgi": {"spec_version": "2.3", "version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    await host.host.app(scope, receive, send)
