"""What an attacker would try, against the whole host over HTTP."""

import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from modhost import new_id
from modhost.database import Database
from modhost.identity import LoginService, TokenService
from modhost.identity.tables import BrowserSession, Role, Token
from modhost.permissions import grants
from modhost.testing import RunningHost
from modhost_background_jobs.contracts import BackgroundJobs
from modhost_reports_example.jobs import GenerateReportJob
from moving_clock import MovingClock
from security.support import COOKIE, PASSWORD, add_user, browser

pytestmark = pytest.mark.anyio


async def enters(host: RunningHost, cookie: str) -> bool:
    """Return whether a session opens a page that needs somebody who is logged in."""
    client = await host.client()
    client.cookies.set(COOKIE, cookie)
    return (await client.get("/account")).status_code == 200


async def test_a_session_stolen_before_the_logout_is_worth_nothing_after_it(
    host: RunningHost,
) -> None:
    await add_user(host, "vera")
    vera = await browser(host, "vera")
    stolen = vera.cookies[COOKIE]
    assert await enters(host, stolen)
    await vera.post("/logout")
    assert not await enters(host, stolen)


async def test_a_session_stolen_before_a_new_password_is_worth_nothing_after_it(
    host: RunningHost,
) -> None:
    await add_user(host, "vera")
    stolen = (await browser(host, "vera")).cookies[COOKIE]
    vera = await browser(host, "vera")
    form = {"current": PASSWORD, "new": "another password", "again": "another password"}
    assert (await vera.post("/account", data=form)).status_code == 303
    assert not await enters(host, stolen)
    assert await enters(host, vera.cookies[COOKIE])


async def test_a_one_time_link_that_was_seen_cannot_be_used_again(host: RunningHost) -> None:
    async with host.scope() as scope:
        path = await (await scope.get(LoginService)).create_link()
    owner, attacker = await host.client(), await host.client()
    assert (await owner.get(path)).status_code == 303
    assert (await attacker.get(path)).status_code == 403
    assert COOKIE not in attacker.cookies


async def test_a_cookie_that_the_host_did_not_give_opens_nothing(host: RunningHost) -> None:
    await add_user(host, "vera")
    own = (await browser(host, "vera")).cookies[COOKIE]
    async with host.scope() as scope:
        async with (await scope.get(Database)).reading() as session:
            row = (await session.exec(select(BrowserSession))).one()
    forged = [
        row.secret_hash,  # what is read from a stolen database
        str(row.id),
        own[:-1],
        own.swapcase(),
        "admin",
        "' OR 1=1 --",
        "x" * 5000,
    ]
    assert [cookie for cookie in forged if await enters(host, cookie)] == []


async def test_a_token_opens_nothing_over_its_expiry_or_by_its_hash(
    host: RunningHost, clock: MovingClock
) -> None:
    async with host.scope() as scope:
        tokens = await scope.get(TokenService)
        created = await tokens.create("ci", ["Reports.View"], (), timedelta(hours=1))
        async with (await scope.get(Database)).reading() as session:
            stored = (await session.exec(select(Token))).one()

    async def answers(secret: str) -> int:
        client = await host.client()
        bearer = {"Authorization": f"Bearer {secret}"}
        return (await client.get(f"/api/reports/{new_id()}", headers=bearer)).status_code

    assert await answers(created.token) == 404
    assert await answers(f"mh_{stored.secret_hash}") == 401
    clock.advance(timedelta(hours=1))
    assert await answers(created.token) == 401


@pytest.mark.parametrize(
    ("grant", "permission"),
    [
        ("BackgroundJobs.View*", "BackgroundJobs.ViewJobs"),
        ("BackgroundJobs.*", "BackgroundJobsX.Y"),
        ("BackgroundJobs", "BackgroundJobs.ViewJobs"),
        ("Background*", "BackgroundJobs.ViewJobs"),
        ("*.ViewJobs", "BackgroundJobs.ViewJobs"),
        (".*", "BackgroundJobs.ViewJobs"),
        ("", "BackgroundJobs.ViewJobs"),
        ("backgroundjobs.*", "BackgroundJobs.ViewJobs"),
        ("**", "BackgroundJobs.ViewJobs"),
    ],
)
async def test_a_wildcard_that_is_none_matches_nothing(grant: str, permission: str) -> None:
    assert not grants(grant, permission)


async def test_a_wildcard_that_is_none_opens_nothing_even_from_the_database(
    host: RunningHost, clock: MovingClock
) -> None:
    async with host.scope() as scope:
        async with (await scope.get(Database)).session() as session:
            odd = ["BackgroundJobs.View*", "BackgroundJobsX.Y", "BackgroundJobsX.*"]
            session.add(Role(name="Odd", permissions=odd, created_at=clock.now()))
    client = await host.client(roles=["Odd"])
    assert (await client.get("/api/jobs")).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[::1"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://evil.example", "Authorization": "Basic eA=="},
    ],
)
async def test_a_form_on_another_site_does_nothing_in_the_visitors_name(
    host: RunningHost, headers: dict[str, str]
) -> None:
    await add_user(host, "anna", "Admin")
    anna = await browser(host, "anna")
    form = {"name": "eve", "password": PASSWORD, "role": "Admin"}
    answer = await anna.post("/admin/users", data=form, headers=headers)
    assert answer.status_code == 403
    assert not re.search(r"\beve\b", (await anna.get("/admin/users")).text)
    assert (await anna.post("/logout", headers=headers)).status_code == 403
    assert await enters(host, anna.cookies[COOKIE])


SCRIPT = '"><script>alert(1)</script>'


async def test_script_in_what_people_and_programs_write_is_shown_as_text(
    host: RunningHost,
) -> None:
    await add_user(host, "anna", "Admin")
    anna = await browser(host, "anna")
    name = f"a{SCRIPT}"
    created = await anna.post("/admin/users", data={"name": name, "password": PASSWORD})
    await anna.post("/admin/roles", data={"name": name, "permission": "Reports.View"})
    await anna.post("/admin/tokens", data={"name": name, "permission": "Reports.View"})
    await anna.post(created.headers["location"].partition("?")[0] + "/assign", data={"role": name})
    pages = [
        "/admin/users",
        created.headers["location"],
        "/admin/roles",
        "/admin/tokens",
        "/admin/audit",
    ]
    searched = httpx2.QueryParams({"actor": SCRIPT, "action": SCRIPT, "subject": SCRIPT})
    pages += [f"/admin/audit?{searched}", f"/admin/jobs/list?text={SCRIPT}", f"/x{SCRIPT}"]
    for page in pages:
        text = (await anna.get(page, headers={"accept": "text/html"})).text
        assert "<script>alert" not in text, page
    for page in pages[:5]:
        assert "&lt;script&gt;alert(1)" in (await anna.get(page)).text, page


async def test_script_in_a_job_is_shown_as_text(host: RunningHost) -> None:
    client = await host.client("BackgroundJobs.*", "Reports.*")
    async with host.scope() as scope:
        jobs = await scope.get(BackgroundJobs)
        data: Any = {"type": SCRIPT, "source": SCRIPT}
        job_id = await jobs.enqueue(GenerateReportJob, data)
        await jobs.add_recurring(
            GenerateReportJob, name=SCRIPT, cron_expression="0 0 1 * *", data=data
        )
    for page in (
        f"/admin/jobs/{job_id}",
        f"/admin/jobs/{job_id}/run-again",
        "/admin/jobs/recurring",
    ):
        answer = await client.get(page)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text, page
        assert "script&gt;alert(1)" in answer.text, page
    events = f"/admin/jobs/events?watch=job&id={job_id}&poll=true"
    assert "<script>alert" not in (await client.get(events)).text
