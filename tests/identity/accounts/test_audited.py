"""The audit records refused changes, whichever rule refuses them."""

from datetime import timedelta

import pytest

from modhost.audit import AuditReader, AuditSearch
from modhost.identity import IdentityError, RoleService, TokenService, UserService
from modhost.testing import RunningHost
from moving_clock import MovingClock
from security.support import PASSWORD, add_user, browser, user_id

pytestmark = pytest.mark.anyio


async def refusals(host: RunningHost) -> list[tuple[str, str]]:
    """Return what was refused and to what, the oldest first."""
    async with host.scope() as scope:
        entries = await (await scope.get(AuditReader)).newest(AuditSearch(), 100)
    refused = [each for each in entries if each.outcome == "refused"]
    return [(each.action, each.subject) for each in reversed(refused)]


async def test_every_refused_change_is_recorded(host: RunningHost) -> None:
    await add_user(host, "vera")
    async with host.scope() as scope:
        users = await scope.get(UserService)
        roles, tokens = await scope.get(RoleService), await scope.get(TokenService)
        secret = (await tokens.create("ci", ["*"])).token
        for attempt in (
            users.add("", PASSWORD),
            users.add("eve", "short"),
            users.add("admin", PASSWORD),
            users.set_password("vera", "short"),
            users.disable("nobody"),
            roles.add(" ", []),
            roles.add("admin", []),
            tokens.create("\t", []),
            tokens.create("ci", [], (), timedelta(0)),
            tokens.revoke("nothing"),
            tokens.revoke(secret),
        ):
            with pytest.raises(IdentityError):
                await attempt
    recorded = await refusals(host)
    assert [(action, subject) for action, subject in recorded if action != "tokens.create"] == [
        ("users.add", "user:"),
        ("users.add", "user:eve"),
        ("users.add", "user:admin"),
        ("users.set_password", "user:vera"),
        ("users.disable", "user:nobody"),
        ("roles.add", "role:"),
        ("roles.add", "role:admin"),
        ("tokens.revoke", "an unknown token"),
        ("tokens.revoke", "an unknown token"),
    ]
    assert [action for action, _ in recorded].count("tokens.create") == 2
    reader = await host.client("Host.ViewAudit")
    assert secret not in (await reader.get("/api/audit")).text


async def test_a_refused_request_of_a_known_caller_is_recorded_once_a_minute(
    host: RunningHost, clock: MovingClock
) -> None:
    await add_user(host, "vera", "Viewer")
    vera, own = await browser(host, "vera"), await user_id(host, "vera")
    assign = f"/admin/users/{own}/assign"
    for _ in range(3):
        assert (await vera.post(assign, data={"role": "Admin"})).status_code == 403
    assert (await vera.get("/admin/users")).status_code == 403
    assert (await (await host.client()).post(assign)).status_code == 303
    assert await refusals(host) == [("POST /admin/users/{id}/assign", assign)]
    clock.advance(timedelta(minutes=1))
    await vera.post(assign, data={"role": "Admin"})
    assert len(await refusals(host)) == 2


async def test_differing_new_passwords_and_throttled_logins_are_recorded(
    host: RunningHost,
) -> None:
    await add_user(host, "vera")
    vera = await browser(host, "vera")
    differing = {"current": PASSWORD, "new": "another password", "again": "an other password"}
    assert (await vera.post("/account", data=differing)).status_code == 422
    wrong = {"name": "vera", "password": "wrong password"}
    stranger = await host.client()
    codes = [(await stranger.post("/login", data=wrong)).status_code for _ in range(9)]
    assert codes == [403] * 5 + [429] * 4
    assert await refusals(host) == [("account.password", "user:vera"), ("login", "user:vera")]
