"""One's own password and account, on a page."""

import pytest

from modhost.identity import LoginService
from modhost.testing import RunningHost
from security.support import COOKIE, PASSWORD, add_user, browser

pytestmark = pytest.mark.anyio


async def test_a_changed_password_ends_all_other_sessions_and_not_this_one(
    host: RunningHost,
) -> None:
    await add_user(host, "vera")
    here, stolen = await browser(host, "vera"), await browser(host, "vera")
    wrong = {"current": "not it at all", "new": "another password", "again": "another password"}
    answer = await here.post("/account", data=wrong)
    assert (answer.status_code, "current password is wrong" in answer.text) == (422, True)
    differing = wrong | {"current": PASSWORD, "again": "an other password"}
    assert (await here.post("/account", data=differing)).status_code == 422
    assert (await stolen.get("/account")).status_code == 200
    answer = await here.post("/account", data=wrong | {"current": PASSWORD})
    assert answer.status_code == 303
    assert "other sessions have ended" in (await here.get(answer.headers["location"])).text
    assert (await stolen.get("/account")).status_code == 303


async def test_guessing_the_current_password_is_slowed_down(host: RunningHost) -> None:
    await add_user(host, "vera")
    stolen = await browser(host, "vera")
    form = {"current": "a guess", "new": "another password", "again": "another password"}
    # A slow machine may take longer for a guess than the first waits, which double.
    answers = [await stolen.post("/account", data=form) for _ in range(8)]
    assert any("Too many" in each.text for each in answers[5:])
    assert COOKIE in stolen.cookies


async def test_a_user_without_a_password_sets_one(host: RunningHost) -> None:
    async with host.scope() as scope:
        path = await (await scope.get(LoginService)).create_link()
    admin = await host.client()
    assert (await admin.get(path)).status_code == 303
    assert "Current password" not in (await admin.get("/account")).text
    form = {"new": PASSWORD, "again": PASSWORD}
    assert (await admin.post("/account", data=form)).status_code == 303
    again = await host.client()
    login = await again.post("/login", data={"name": "admin", "password": PASSWORD})
    assert login.status_code == 303


async def test_a_token_has_no_account(host: RunningHost) -> None:
    client = await host.client("Reports.View")
    assert (await client.get("/account")).status_code == 403
