"""Logins by a provider, as the browser goes through them."""

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from identity.external.oidc.browsing import log_in, to_the_provider
from identity.external.oidc.issuer import SECRET, Issuer
from modhost.audit import AuditReader, AuditSearch
from modhost.identity import RoleService, UserInfo, UserService
from modhost.identity.errors import UnusablePassword
from modhost.testing import RunningHost

pytestmark = pytest.mark.anyio

OPS: dict[str, Any] = {"realm_access": {"roles": ["ops"]}}


async def users(host: RunningHost) -> dict[str, UserInfo]:
    async with host.scope() as scope:
        return {each.name: each for each in await (await scope.get(UserService)).list()}


async def logins(host: RunningHost) -> list[tuple[str, str, str]]:
    async with host.scope() as scope:
        newest = await (await scope.get(AuditReader)).newest(AuditSearch(action="login"), 20)
    return [(each.subject, each.outcome.value, each.detail) for each in newest]


async def test_the_login_page_leads_to_the_provider(host: RunningHost, issuer: Issuer) -> None:
    browser = await host.client()
    page = await browser.get("/login?next=/admin/jobs")
    assert 'href="/login/oidc?next=%2Fadmin%2Fjobs"' in page.text
    assert "Log in with Example" in page.text
    begun = await browser.get("/login/oidc?next=/admin/jobs")
    assert begun.headers["location"].startswith(f"{issuer.url}/authorize?")
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/login/oidc" in cookie


async def test_a_user_logs_in_and_has_the_mapped_roles(host: RunningHost, issuer: Issuer) -> None:
    issuer.claims = OPS
    browser = await host.client()
    arrived = await log_in(host, "/admin/jobs", browser)
    assert arrived.status_code == 303
    assert arrived.headers["location"] == "/admin/jobs"
    assert (await browser.get("/admin/jobs")).status_code == 200
    assert (await users(host))["vera"].roles == ("Admin",)
    assert ("user:vera", "done", "by oidc") in await logins(host)
    await browser.post("/logout")
    assert (await browser.get("/admin/jobs")).status_code in (303, 401)


async def test_roles_follow_the_provider_at_each_login_and_others_stay(
    host: RunningHost, issuer: Issuer
) -> None:
    issuer.claims = OPS
    await log_in(host)
    async with host.scope() as scope:
        await (await scope.get(RoleService)).add("Clerk", [])
        await (await scope.get(UserService)).assign("vera", "Clerk")
    issuer.claims = {"realm_access": {"roles": ["audience"]}}
    await log_in(host)
    assert (await users(host))["vera"].roles == ("Clerk", "Reader", "Viewer")
    assert len(await users(host)) == 1, "the same subject is the same user"


async def test_a_taken_name_is_made_distinct(host: RunningHost, issuer: Issuer) -> None:
    async with host.scope() as scope:
        await (await scope.get(UserService)).add("vera", "correct horse", ["Admin"])
    await log_in(host)
    issuer.claims = {"sub": "another", "preferred_username": "Admin"}
    await log_in(host)
    found = await users(host)
    assert found["vera"].roles == ("Admin",)
    assert found["vera (127.0.0.1)"].roles == ()
    assert "admin" not in {name.lower() for name in found}
    assert found["Admin (127.0.0.1)"].roles == ()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another client"},
        {"aud": ["modhost", "another client"]},
        {"aud": ["modhost", "another client"], "azp": "another client"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"nonce": "another login's"},
    ],
    ids=str,
)
async def test_an_id_token_that_is_not_for_this_login_is_refused(
    host: RunningHost, issuer: Issuer, claims: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign = issuer.token
    monkeypatch.setattr(issuer, "token", lambda **values: sign(**{**values, **claims}))
    arrived = await log_in(host)
    assert arrived.status_code == 403
    assert "modhost_session" not in arrived.headers.get("set-cookie", "")
    assert await users(host) == {}
    assert (await logins(host))[0][:2] == ("an unknown user", "failed")


async def test_an_answer_is_good_once(host: RunningHost) -> None:
    browser = await host.client()
    back = await to_the_provider(browser)
    assert (await browser.get(back)).status_code == 303
    browser.cookies.delete("modhost_session")
    assert (await browser.get(back)).status_code == 403


async def test_an_answer_is_good_in_its_own_browser_only(host: RunningHost) -> None:
    back = await to_the_provider(await host.client())
    assert (await (await host.client()).get(back)).status_code == 403, "without the cookie"
    another = await host.client()
    await to_the_provider(another)
    assert (await another.get(back)).status_code == 403, "with the cookie of another login"


async def test_a_stranger_cannot_fill_the_audit(host: RunningHost) -> None:
    stranger = await host.client()
    answer = await stranger.get("/login/oidc/callback?state=x&code=y")
    assert (answer.status_code, await logins(host)) == (403, [])
    begun = await stranger.get("/login/oidc")
    kept = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
    stranger.cookies.clear()
    callback = "/login/oidc/callback?state=x&code=y"
    answers = [await stranger.get(callback, headers=kept) for _ in range(25)]
    assert [each.status_code for each in answers] == [403] * 20 + [429] * 5
    assert len(await logins(host)) == 20


async def test_nobody_gives_a_user_of_the_provider_a_password(host: RunningHost) -> None:
    await log_in(host)
    async with host.scope() as scope:
        with pytest.raises(UnusablePassword, match="logs in by"):
            await (await scope.get(UserService)).set_password("vera", "correct horse battery")
    assert not (await users(host))["vera"].has_password


async def test_a_forged_state_is_refused(host: RunningHost) -> None:
    browser = await host.client()
    back = await to_the_provider(browser)
    code = parse_qs(urlsplit(back).query)["code"][0]
    forged = f"/login/oidc/callback?code={code}&state=forged%C3%A9"
    refused = await browser.get(forged, headers={"Accept": "text/html"})
    assert refused.status_code == 403
    assert "modhost_oidc" not in browser.cookies, "each login is answered once"


async def test_a_refusal_of_the_provider_is_shown(host: RunningHost, issuer: Issuer) -> None:
    issuer.error = "access_denied"
    arrived = await log_in(host)
    assert arrived.status_code == 403
    assert "access_denied" in arrived.text


@pytest.mark.parametrize("following", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_nobody_is_sent_to_another_site(host: RunningHost, following: str) -> None:
    assert (await log_in(host, following)).headers["location"] == "/admin"


async def test_a_session_that_was_planted_ends_with_the_login(
    host: RunningHost, issuer: Issuer
) -> None:
    issuer.claims = OPS
    browser = await host.client()
    await log_in(host, browser=browser)
    planted = browser.cookies["modhost_session"]
    await log_in(host, browser=browser)
    assert browser.cookies["modhost_session"] != planted
    thief = await host.client()
    thief.cookies.set("modhost_session", planted)
    assert (await thief.get("/admin/jobs")).status_code in (303, 401)


async def test_a_disabled_user_stays_out(host: RunningHost, issuer: Issuer) -> None:
    await log_in(host)
    async with host.scope() as scope:
        await (await scope.get(UserService)).disable("vera")
    arrived = await log_in(host)
    assert arrived.status_code == 403
    assert "disabled" in arrived.text


async def test_who_logs_in_by_a_provider_sets_no_password(
    host: RunningHost, issuer: Issuer
) -> None:
    browser = await host.client()
    await log_in(host, browser=browser)
    form = {"current": "", "new": "correct horse battery", "again": "correct horse battery"}
    changed = await browser.post("/account", data=form)
    assert "no password here to change" in changed.text
    assert not (await users(host))["vera"].has_password


async def test_an_unreachable_provider_is_reported(host: RunningHost, issuer: Issuer) -> None:
    issuer.is_down = True
    begun = await (await host.client()).get("/login/oidc")
    assert begun.status_code == 503
    assert "Example" in begun.text


async def test_no_secret_reaches_the_log(
    host: RunningHost, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await host.client()
    back = await to_the_provider(browser)
    other = await host.client()
    await other.get((await to_the_provider(other)).replace("state=", "state=x"))
    await browser.get(back)
    code = parse_qs(urlsplit(back).query)["code"][0]
    own = [each for each in caplog.records if each.name.startswith("modhost")]
    logged = "\n".join(each.getMessage() for each in own)
    for secret in (SECRET, code, browser.cookies["modhost_session"]):
        assert secret not in logged
