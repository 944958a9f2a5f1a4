"""The last use of tokens and sessions is written apart from the requests."""

from datetime import timedelta

import anyio
import pytest

from identity.support import by_token
from modhost.clock import Clock
from modhost.database import Database
from modhost.identity import TokenService
from modhost.identity.access.usage import Usage
from modhost.services import Scope
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


class BrokenDatabase(Database):
    def session(self) -> None:  # type: ignore[override]
        msg = "the disk is full"
        raise OSError(msg)


async def test_the_last_use_is_written_once_a_minute(scope: Scope, clock: MovingClock) -> None:
    tokens, usage = await scope.get(TokenService), await scope.get(Usage)
    created = await tokens.create("ci", [])
    first = clock.now()
    await by_token(scope, created.token)
    assert (await tokens.list())[0].last_used_at is None
    await usage.flush()
    clock.advance(timedelta(seconds=59))
    await by_token(scope, created.token)
    await usage.flush()
    assert (await tokens.list())[0].last_used_at == first
    clock.advance(timedelta(seconds=1))
    await by_token(scope, created.token)
    await usage.flush()
    assert (await tokens.list())[0].last_used_at == clock.now()


async def test_what_is_noted_is_written_when_the_host_stops(
    scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modhost.identity.access.usage._SHUTDOWN_TIMEOUT", 60.0)
    tokens, usage = await scope.get(TokenService), await scope.get(Usage)
    created = await tokens.create("ci", [])
    async with anyio.create_task_group() as group:
        await group.start(usage.run)
        await by_token(scope, created.token)
        group.cancel_scope.cancel()
    assert (await tokens.list())[0].last_used_at is not None


async def test_a_use_that_cannot_be_written_is_logged_and_harms_nobody(
    clock: Clock, scope: Scope, caplog: pytest.LogCaptureFixture
) -> None:
    created = await (await scope.get(TokenService)).create("ci", [])
    usage = Usage(BrokenDatabase("sqlite:///nowhere.db"), clock)
    usage.note_token(created.id, None)
    await usage.flush()
    assert "The write of the last use of tokens and sessions failed" in caplog.text
