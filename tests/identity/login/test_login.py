"""Logging in and out over HTTP."""

from datetime import timedelta

import argon2
import httpx2
import pytest
from sqlmodel import select

from identity.support import PASSWORD
from modhost.database import Database
from modhost.identity import UserService
from modhost.identity.tables import BrowserSession, User
from modhost.services import Scope
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def vera(scope: Scope) -> None:
    await (await scope.get(UserService)).add("vera", PASSWORD, ["Viewer"])


async def log_in(client: httpx2.AsyncClient, **form: str) -> httpx2.Response:
    return await client.post("/login", data={"name": "vera", "password": PASSWORD} | form)


async def test_the_login_page_asks_for_name_and_password(client: httpx2.AsyncClient) -> None:
    page = await client.get("/login?next=/reports")
    assert page.status_code == 200
    assert 'name="password" type="password"' in page.text
    assert 'name="next" value="/reports"' in page.text


async def test_a_login_gives_a_session_cookie_and_leads_on(client: httpx2.AsyncClient) -> None:
    answer = await log_in(client, next="/reports?type=monthly")
    assert (answer.status_code, answer.headers["location"]) == (303, "/reports?type=monthly")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    again = await client.get("/login")
    assert (again.status_code, again.headers["location"]) == (303, "/admin")


@pytest.mark.parametrize("address", ["https://localhost/login", "http://modhost.example/login"])
async def test_the_cookie_is_secure_off_loopback_and_over_tls(
    client: httpx2.AsyncClient, address: str
) -> None:
    answer = await client.post(address, data={"name": "vera", "password": PASSWORD})
    assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "http://[::1",
        "//[",
        "evil",
        "",
    ],
)
async def test_a_login_never_leads_to_another_site(
    client: httpx2.AsyncClient, elsewhere: str
) -> None:
    answer = await log_in(client, next=elsewhere)
    assert answer.headers["location"] == "/admin"


async def test_a_wrong_password_an_unknown_name_and_a_disabled_user_are_answered_alike(
    client: httpx2.AsyncClient, scope: Scope
) -> None:
    users = await scope.get(UserService)
    await users.add("dora", PASSWORD)
    await users.add("link only", None)
    await users.disable("dora")
    answers = [
        await log_in(client, password="wrong password"),
        await log_in(client, name="nobody"),
        await log_in(client, name="dora"),
        await log_in(client, name="link only"),
        await log_in(client, name="", password=""),
        await log_in(client, password="x" * 100_000),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert all("The name or the password is wrong." in answer.text for answer in answers)
    assert not any("set-cookie" in answer.headers for answer in answers)
    assert not any(PASSWORD in answer.text for answer in answers)


async def test_an_old_hash_is_renewed_even_of_a_password_that_today_would_be_refused(
    client: httpx2.AsyncClient, database: Database
) -> None:
    """The renewal checked the password as if it were new, and the login ended in an error."""
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("password1")
    async with database.session() as session:
        user = (await session.exec(select(User))).one()
        user.password_hash = old
        session.add(user)
    assert (await log_in(client, password="password1")).status_code == 303
    async with database.reading() as session:
        assert (await session.exec(select(User))).one().password_hash != old
    client.cookies.clear()
    assert (await log_in(client, password="password1")).status_code == 303


async def test_what_was_typed_is_shown_as_text(client: httpx2.AsyncClient) -> None:
    typed = '"><script>alert(1)</script>'
    answer = await log_in(client, name=typed, next=typed)
    assert "<script>" not in answer.text


async def test_failed_logins_make_the_next_one_wait_even_with_the_right_password(
    client: httpx2.AsyncClient, clock: MovingClock
) -> None:
    for _ in range(5):
        assert (await log_in(client, password="wrong password")).status_code == 403
    refused = await log_in(client)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    clock.advance(timedelta(seconds=1))
    assert (await log_in(client)).status_code == 303


async def test_unknown_accounts_wait_as_known_ones_do(client: httpx2.AsyncClient) -> None:
    answers = [(await log_in(client, name="nobody")).status_code for _ in range(6)]
    assert answers == [403] * 5 + [429]


async def test_many_accounts_tried_from_one_address_make_it_wait(
    client: httpx2.AsyncClient,
) -> None:
    answers = [(await log_in(client, name=f"user {n}")).status_code for n in range(21)]
    assert answers == [403] * 20 + [429]


async def test_a_login_replaces_the_session_that_the_browser_brings(
    client: httpx2.AsyncClient, database: Database
) -> None:
    first = (await log_in(client)).cookies["modhost_session"]
    second = (await log_in(client)).cookies["modhost_session"]
    assert first != second
    async with database.reading() as session:
        assert len((await session.exec(select(BrowserSession))).all()) == 1


async def test_logging_out_ends_the_session_for_whoever_copied_it(
    client: httpx2.AsyncClient,
) -> None:
    stolen = (await log_in(client)).cookies["modhost_session"]
    answer = await client.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "modhost_session" not in client.cookies
    client.cookies.set("modhost_session", stolen)
    assert (await client.get("/login")).status_code == 200


async def test_logging_out_takes_a_post(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/logout")).status_code == 405


async def test_another_site_can_neither_log_in_nor_out(client: httpx2.AsyncClient) -> None:
    for path in ("/login", "/logout"):
        form = {"name": "vera", "password": PASSWORD}
        answer = await client.post(path, data=form, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
