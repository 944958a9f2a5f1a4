"""Requests are authenticated by a token, a session, or a module."""

from datetime import timedelta

import pytest
from starlette.requests import Request

from identity.support import by_token, request_with
from modhost.database import Database
from modhost.identity import Authenticator, ForeignIdentity, TokenService, UserService
from modhost.identity.access.grants import Grants
from modhost.identity.access.usage import Usage
from modhost.identity.tables import Role
from modhost.permissions import Principal
from modhost.services import Scope
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


async def test_a_token_is_its_permissions_and_those_of_its_roles(
    scope: Scope, database: Database, clock: MovingClock
) -> None:
    async with database.session() as session:
        session.add(Role(name="Clerk", permissions=["Reports.Generate"], created_at=clock.now()))
    tokens = await scope.get(TokenService)
    created = await tokens.create("ci", ["Identity.*"], ["Clerk", "Viewer"])
    principal = await by_token(scope, created.token)
    assert principal is not None
    assert principal.id == f"token:{created.id}"
    assert principal.name == "ci"
    assert principal.roles == {"Clerk", "Viewer"}
    assert principal.grants == {"Identity.*", "Reports.Generate", "Reports.View"}


async def test_a_token_with_the_role_admin_may_everything(scope: Scope) -> None:
    created = await (await scope.get(TokenService)).create("root", [], ["Admin"])
    principal = await by_token(scope, created.token)
    assert principal is not None
    assert principal.may("Anything.AtAll")


async def test_a_token_without_permissions_may_nothing(scope: Scope) -> None:
    created = await (await scope.get(TokenService)).create("ci", [])
    principal = await by_token(scope, created.token)
    assert principal is not None
    assert principal.grants == frozenset()


async def test_an_expired_token_is_nobody(scope: Scope, clock: MovingClock) -> None:
    tokens = await scope.get(TokenService)
    created = await tokens.create("ci", ["Reports.View"], (), timedelta(hours=1))
    clock.advance(timedelta(minutes=59, seconds=59))
    assert await by_token(scope, created.token) is not None
    clock.advance(timedelta(seconds=1))
    assert await by_token(scope, created.token) is None


async def test_a_revoked_token_is_nobody_at_once(scope: Scope) -> None:
    tokens = await scope.get(TokenService)
    created = await tokens.create("ci", ["Reports.View"])
    await tokens.revoke("ci")
    assert await by_token(scope, created.token) is None


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer mh_", "Bearer mh_\xff", "Basic YTpi", "mh_x", "Bearer a b"],
)
async def test_credentials_that_prove_nothing_are_nobody(scope: Scope, authorization: str) -> None:
    authenticator = await scope.get(Authenticator)
    assert await authenticator.authenticate(request_with(authorization), scope) is None


async def test_the_scheme_of_a_token_is_taken_in_any_case(scope: Scope) -> None:
    created = await (await scope.get(TokenService)).create("ci", [])
    authenticator = await scope.get(Authenticator)
    request = request_with(f"bEARER   {created.token}")
    assert await authenticator.authenticate(request, scope) is not None


async def test_a_token_in_the_cookie_and_a_forged_cookie_are_nobody(scope: Scope) -> None:
    created = await (await scope.get(TokenService)).create("ci", [])
    authenticator = await scope.get(Authenticator)
    for cookie in (created.token, "forged", ""):
        assert await authenticator.authenticate(request_with(cookie=cookie), scope) is None


async def test_the_cookie_does_not_save_an_authorization_that_proves_nothing(
    scope: Scope, session: str
) -> None:
    authenticator = await scope.get(Authenticator)
    assert await authenticator.authenticate(request_with(cookie=session), scope) is not None
    request = request_with("Bearer mh_wrong", session)
    assert await authenticator.authenticate(request, scope) is None


async def test_a_session_is_its_user_with_their_roles(scope: Scope, session: str) -> None:
    authenticator = await scope.get(Authenticator)
    principal = await authenticator.authenticate(request_with(cookie=session), scope)
    assert principal is not None
    assert principal.name == "vera"
    assert principal.id.startswith("user:")
    assert principal.grants == {"Reports.View"}


async def test_a_session_ends_twelve_hours_after_its_last_use(
    scope: Scope, session: str, clock: MovingClock
) -> None:
    authenticator, usage = await scope.get(Authenticator), await scope.get(Usage)
    for _ in range(3):
        clock.advance(timedelta(hours=11))
        assert await authenticator.authenticate(request_with(cookie=session), scope) is not None
        await usage.flush()
    clock.advance(timedelta(hours=12))
    assert await authenticator.authenticate(request_with(cookie=session), scope) is None


@pytest.mark.parametrize("end", ["disable", "password"])
async def test_a_disabled_user_and_a_new_password_end_sessions_at_once(
    scope: Scope, session: str, end: str
) -> None:
    users = await scope.get(UserService)
    if end == "disable":
        await users.disable("vera")
        await users.enable("vera")
    else:
        await users.set_password("vera", "another password")
    authenticator = await scope.get(Authenticator)
    assert await authenticator.authenticate(request_with(cookie=session), scope) is None


async def test_the_first_module_that_recognises_somebody_decides(
    scope: Scope, database: Database, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: Request, scope: Scope) -> Principal | None:
        raise RuntimeError

    async def nobody(request: Request, scope: Scope) -> Principal | None:
        return None

    async def somebody(request: Request, scope: Scope) -> Principal | None:
        return Principal("oidc:1", "olga")

    hooks = (ForeignIdentity("a", broken), ForeignIdentity("b", nobody))
    authenticator = Authenticator(
        database,
        clock,
        await scope.get(Grants),
        await scope.get(Usage),
        (*hooks, ForeignIdentity("c", somebody)),
    )
    principal = await authenticator.authenticate(request_with("Bearer a.b.c"), scope)
    assert principal is not None
    assert principal.name == "olga"
    assert "authenticate hook of the module a failed" in caplog.text
    assert await authenticator.authenticate(request_with("Bearer mh_wrong"), scope) is None
