"""One-time links, which log the built-in administrator in."""

from datetime import timedelta

import httpx2
import pytest
from sqlmodel import select
from starlette.applications import Starlette

from modhost.database import Database
from modhost.identity import LoginService, UserService
from modhost.identity.errors import UserDisabled
from modhost.identity.login.login import LINK_PATH
from modhost.identity.tables import LoginLink
from modhost.module import HostInfo
from modhost.services import Scope
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


async def test_a_one_time_link_logs_the_administrator_in_once(
    client: httpx2.AsyncClient, scope: Scope, database: Database
) -> None:
    path = await (await scope.get(LoginService)).create_link()
    assert (await client.head(path)).status_code == 404
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    assert "modhost_session" in answer.cookies
    client.cookies.clear()
    replayed = await client.get(path)
    assert replayed.status_code == 403
    assert "has been used or has expired" in replayed.text
    assert "set-cookie" not in replayed.headers
    async with database.reading() as session:
        link = (await session.exec(select(LoginLink))).one()
        assert path.rpartition("/")[2] not in str(link.model_dump())


async def test_a_one_time_link_expires_after_ten_minutes(
    client: httpx2.AsyncClient, scope: Scope, clock: MovingClock
) -> None:
    path = await (await scope.get(LoginService)).create_link()
    clock.advance(timedelta(minutes=10))
    assert (await client.get(path)).status_code == 403
    assert (await client.get(f"{LINK_PATH}/guessed")).status_code == 403


async def test_the_built_in_administrator_is_made_once_and_without_a_password(
    scope: Scope,
) -> None:
    login = await scope.get(LoginService)
    await login.create_link()
    await login.create_link()
    users = await (await scope.get(UserService)).list()
    (admin,) = [user for user in users if user.name == "admin"]
    assert (admin.roles, admin.has_password) == (("Admin",), False)


async def test_a_disabled_administrator_gets_no_link(scope: Scope) -> None:
    login = await scope.get(LoginService)
    await login.create_link()
    await (await scope.get(UserService)).disable("admin")
    with pytest.raises(UserDisabled, match="modhost users enable admin"):
        await login.create_link()


async def test_a_link_made_before_the_administrator_was_disabled_is_void(
    client: httpx2.AsyncClient, scope: Scope
) -> None:
    path = await (await scope.get(LoginService)).create_link()
    await (await scope.get(UserService)).disable("admin")
    assert (await client.get(path)).status_code == 403


async def test_a_one_time_link_works_from_this_machine_only(
    client: httpx2.AsyncClient, app: Starlette, scope: Scope
) -> None:
    path = await (await scope.get(LoginService)).create_link()
    elsewhere = httpx2.ASGITransport(app, client=("192.0.2.7", 4000))
    async with httpx2.AsyncClient(transport=elsewhere, base_url="http://localhost") as visitor:
        assert (await visitor.get(path)).status_code == 403
    assert (await client.get(path)).status_code == 303


class TestInProduction:
    @pytest.fixture
    def host_info(self) -> HostInfo:
        return HostInfo(role="web", environment="production", version="0.1.0")

    async def test_there_is_not_an_one_time_link(
        self, client: httpx2.AsyncClient, scope: Scope
    ) -> None:
        path = await (await scope.get(LoginService)).create_link()
        assert (await client.get(path)).status_code == 404
