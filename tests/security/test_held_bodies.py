"""Requests whose body is held back until the rights of their sender are gone."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.types import Message

from modhost.caller import SYSTEM, ActingFor
from modhost.identity import RoleService, SessionService, TokenService, UserService
from modhost.testing import MovableClock, RunningHost, running_host
from security.support import COOKIE, PASSWORD, add_role, add_user, browser

pytestmark = pytest.mark.anyio

FORM = {"name": "mine", "permission": "Host.ViewAudit"}


async def held(
    host: RunningHost,
    path: str,
    headers: dict[str, str],
    form: dict[str, str],
    meanwhile: Callable[[], Awaitable[object]],
) -> tuple[int, dict[str, str]]:
    """Send a form half of which comes after something has happened; return status and headers."""
    body = urlencode(form).encode()
    parts = [body[:4], body[4:]]
    sent: list[Message] = []

    async def receive() -> Message:
        if not parts:
            return {"type": "http.disconnect"}
        if len(parts) == 1:
            with ActingFor(SYSTEM):
                await meanwhile()
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    all_headers = {
        "host": "127.0.0.1:8000",
        "accept": "text/html",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(body)),
        **headers,
    }
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in all_headers.items()],
        "client": ("127.0.0.1", 4711),
        "server": ("127.0.0.1", 8000),
    }
    await host.host.app(scope, receive, send)
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


async def tokens(host: RunningHost) -> list[str]:
    async with host.scope() as scope:
        return [each.name for each in await (await scope.get(TokenService)).list()]


async def cookie(host: RunningHost, name: str) -> dict[str, str]:
    client = await browser(host, name)
    return {"cookie": f"{COOKIE}={client.cookies[COOKIE]}"}


async def disable(host: RunningHost) -> None:
    async with host.scope() as scope:
        await (await scope.get(UserService)).disable("vera")


async def log_out(host: RunningHost) -> None:
    async with host.scope() as scope:
        await (await scope.get(SessionService)).end_all("vera")


async def strip(host: RunningHost) -> None:
    async with host.scope() as scope:
        await (await scope.get(RoleService)).revoke("Keepers", "Identity.ManageTokens")


@pytest.mark.parametrize(("take_away", "status"), [(disable, 303), (log_out, 303), (strip, 403)])
async def test_a_held_body_creates_no_token_once_its_sender_may_not(
    database_url: str, take_away: Callable[[RunningHost], Awaitable[None]], status: int
) -> None:
    clock, config = MovableClock(), {"host": {"database_url": database_url}}
    async with running_host([], config=config, clock=clock) as host:
        await add_role(host, "Keepers", ["Identity.ManageTokens", "Host.ViewAudit"])
        await add_user(host, "vera", "Keepers")
        headers = await cookie(host, "vera")

        async def meanwhile() -> None:
            await take_away(host)
            clock.move(seconds=2)

        answer, sent = await held(host, "/admin/tokens", headers, FORM, meanwhile)
        assert answer == status
        assert sent.get("location", "/login").startswith("/login")
        assert await tokens(host) == []


async def test_a_held_body_creates_no_token_once_that_of_its_sender_is_revoked(
    database_url: str,
) -> None:
    clock, config = MovableClock(), {"host": {"database_url": database_url}}
    async with running_host([], config=config, clock=clock) as host, host.scope() as scope:
        service = await scope.get(TokenService)
        made = await service.create("ci", ["Identity.ManageTokens", "Host.ViewAudit"])
        headers = {"authorization": f"Bearer {made.token}"}

        async def meanwhile() -> None:
            await service.revoke("ci")
            clock.move(seconds=2)

        assert (await held(host, "/admin/tokens", headers, FORM, meanwhile))[0] == 303
        assert "mine" not in await tokens(host)


async def test_a_held_body_changes_no_password_once_its_sender_is_logged_out(
    sqlite_url: str,
) -> None:
    clock, config = MovableClock(), {"host": {"database_url": sqlite_url}}
    async with running_host([], config=config, clock=clock) as host:
        await add_user(host, "vera")
        headers = await cookie(host, "vera")

        async def meanwhile() -> None:
            await log_out(host)
            clock.move(seconds=2)

        form = {"current": PASSWORD, "new": f"{PASSWORD} 2"}
        answer, sent = await held(host, "/account", headers, form, meanwhile)
        assert (answer, sent["location"].partition("?")[0]) == (303, "/login")
        await browser(host, "vera")  # by the old password


async def test_a_slow_body_of_somebody_who_still_may_is_taken(sqlite_url: str) -> None:
    clock, config = MovableClock(), {"host": {"database_url": sqlite_url}}
    async with running_host([], config=config, clock=clock) as host:
        await add_user(host, "vera", "Admin")
        headers = await cookie(host, "vera")

        async def meanwhile() -> None:
            clock.move(seconds=2)

        assert (await held(host, "/admin/tokens", headers, FORM, meanwhile))[0] < 400
        assert await tokens(host) == ["mine"]
