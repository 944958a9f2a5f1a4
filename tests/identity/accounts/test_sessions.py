"""Sessions are seen and ended by their users, and by those who manage them."""

import re
from datetime import timedelta
from html import escape

import pytest

from modhost.audit import AuditReader, AuditSearch
from modhost.caller import ActingFor, caller_of
from modhost.identity import TokenService, UserService
from modhost.identity.access.usage import Usage
from modhost.permissions import Principal
from modhost.testing import RunningHost
from moving_clock import MovingClock
from security.support import PASSWORD, add_role, add_user, browser, user_id

pytestmark = pytest.mark.anyio


@pytest.fixture
async def host(host: RunningHost) -> RunningHost:
    await add_user(host, "vera", "Viewer")
    return host


AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0": (
        "Firefox on Windows"
    ),
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36 Edg/142.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Safari/605.1.15": "Safari on macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) CriOS/142.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
    "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/142.0.0.0 Safari/537.36": (
        "Chrome on Linux"
    ),
    "curl/8.14.1": "curl",
    "Mozilla/5.0 (X11; Linux x86_64)": "An unknown browser on Linux",
    "<b>": "An unknown browser",
}


async def test_browsers_are_named_in_words_with_what_they_call_themselves_on_hover(
    host: RunningHost,
) -> None:
    vera = await browser(host, "vera")
    for agent in AGENTS:
        client = await host.client()
        headers = {"User-Agent": agent}
        form = {"name": "vera", "password": PASSWORD}
        assert (await client.post("/login", data=form, headers=headers)).status_code == 303
    page = (await vera.get("/account")).text
    for agent, words in AGENTS.items():
        assert f'<span title="{escape(agent)}">{words}</span>' in page


async def test_users_see_and_end_their_sessions(host: RunningHost) -> None:
    here, there, third = [await browser(host, "vera") for _ in range(3)]
    page = (await here.get("/account")).text
    assert page.count("this one") == 1
    ends = re.findall(r"/account/sessions/[0-9a-f-]{36}/end", page)
    assert len(ends) == 2
    assert (await here.post(ends[1])).status_code == 303
    assert (await there.get("/account")).status_code == 303
    assert (await third.get("/account")).status_code == 200
    assert (await here.post("/account/sessions/end-others")).status_code == 303
    assert (await third.get("/account")).status_code == 303
    assert (await here.get("/account")).status_code == 200
    async with host.scope() as scope:
        entries = await (await scope.get(AuditReader)).newest(AuditSearch(actor="vera"), 2)
    assert [(each.action, each.subject) for each in entries] == [
        ("sessions.end_all", "user:vera"),
        ("sessions.end", "user:vera"),
    ]


async def test_managers_end_the_sessions_of_those_who_have_no_more_rights(
    host: RunningHost,
) -> None:
    await add_user(host, "anna", "Admin")
    await add_role(host, "Managers", ["Identity.*"])
    await add_user(host, "mara", "Managers", "Viewer")
    anna, vera, mara = [await browser(host, name) for name in ("anna", "vera", "mara")]
    own = f"/admin/users/{await user_id(host, 'vera')}"
    end = re.findall(rf"{own}/sessions/[0-9a-f-]{{36}}/end", (await mara.get(own)).text)
    assert (await mara.post(end[0])).status_code == 303
    assert (await vera.get("/account")).status_code == 303
    vera = await browser(host, "vera")
    assert (await mara.post(f"{own}/logout")).status_code == 303
    assert (await vera.get("/account")).status_code == 303
    mightier = f"/admin/users/{await user_id(host, 'anna')}"
    refused = await mara.post(f"{mightier}/logout")
    assert (refused.status_code, "mara lacks" in refused.text) == (403, True)
    assert (await anna.get("/account")).status_code == 200


async def written(host: RunningHost) -> None:
    """Have the use of sessions written, which the host does after a while by itself."""
    async with host.scope() as scope:
        await (await scope.get(Usage)).flush()


async def test_a_session_ends_after_a_week_however_much_it_is_used(
    host: RunningHost, clock: MovingClock
) -> None:
    vera = await browser(host, "vera")
    for _ in range(14):
        assert (await vera.get("/account")).status_code == 200
        await written(host)
        clock.advance(timedelta(hours=11, minutes=59))
    assert (await vera.get("/account")).status_code == 200
    await written(host)
    clock.advance(timedelta(minutes=14))
    assert (await vera.get("/account")).status_code == 303


async def test_tokens_of_a_user_end_when_the_user_is_disabled(host: RunningHost) -> None:
    vera = Principal(f"user:{await user_id(host, 'vera')}", "vera", grants=frozenset({"*"}))
    async with host.scope() as scope:
        tokens = await scope.get(TokenService)
        with ActingFor(caller_of(vera)):
            first = await tokens.create("first", ["*"])
        made = Principal(f"token:{first.id}", "first", grants=frozenset({"*"}))
        with ActingFor(caller_of(made)):
            await tokens.create("second", ["*"])
        await tokens.create("other", ["*"])
        await (await scope.get(UserService)).disable("vera")
        assert [token.name for token in await tokens.list()] == ["other"]
