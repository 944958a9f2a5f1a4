"""Every route and page that the built host knows, asked by each kind of caller."""

import re

import httpx2
import pytest
from starlette.routing import Mount

from modhost import new_id
from modhost.permissions import Anyone
from modhost.testing import RunningHost
from security.rules import ANYONE, CALLERS, RULES, SOMEBODY, STATIC, USER, VIEW_JOBS
from security.support import add_role, add_user, browser

pytestmark = pytest.mark.anyio


async def client_of(host: RunningHost, caller: str) -> httpx2.AsyncClient:
    if caller == USER:
        await add_role(host, "Lookers", CALLERS[caller])
        await add_user(host, "vera", "Lookers")
        return await browser(host, "vera")
    client = await host.client()
    if caller != "anonymous":
        client.headers["Authorization"] = f"Bearer {await host.token(*CALLERS[caller])}"
    return client


async def test_every_route_and_page_has_its_rule(host: RunningHost) -> None:
    declared = {
        f"{each.method} {each.path}": each.permission
        for web in host.host.web
        for each in web.declared
    }
    assert sorted(declared) == sorted(RULES)
    for route, permission in declared.items():
        is_open = RULES[route] in (ANYONE, SOMEBODY)
        assert isinstance(permission, Anyone) is is_open, route
        assert is_open or getattr(permission, "name", None) == RULES[route]
    mounted = {route.path for route in host.host.app.routes if isinstance(route, Mount)}
    assert mounted == STATIC


@pytest.mark.parametrize("caller", CALLERS)
async def test_every_answer_is_the_one_of_the_rules(host: RunningHost, caller: str) -> None:
    client = await client_of(host, caller)
    wrong = []
    # The last one logs out.
    for route, rule in sorted(RULES.items(), key=lambda each: each[0] == "POST /logout"):
        method, _, path = route.partition(" ")
        # Each answers before it reads what it is asked for, so nothing has to exist.
        answer = await client.request(method, re.sub(r"{\w+}", str(new_id()), path))
        outcome = outcome_of(answer)
        if outcome not in expected(rule, caller, route):
            wrong.append(f"{route}: {answer.status_code} ({outcome}) for {caller}")
    assert wrong == []


def outcome_of(answer: httpx2.Response) -> str:
    """Return whether the caller was let in, sent to log in, or refused."""
    location = answer.headers.get("location", "")
    if answer.status_code == 401 or (answer.status_code == 303 and location.startswith("/login")):
        return "who are you"
    if answer.status_code == 403:
        return "refused"
    return "failed" if answer.status_code >= 500 else "let in"


def expected(rule: str, caller: str, route: str) -> set[str]:
    if route == "POST /logout":
        return {"who are you"}  # where it leads
    if route == "GET /login/once/{secret}":
        return {"refused"}  # no such link
    if route == "GET /login/oidc":
        return {"failed"}  # the provider does not answer
    if route == "GET /login/oidc/callback":
        return {"refused"}  # nobody has begun a login
    if " /account" in route and caller not in ("anonymous", USER):
        return {"let in", "refused"} if route == "POST /account" else {"refused"}
    if rule == ANYONE:
        return {"let in"}
    if caller == "anonymous":
        return {"who are you"}
    return {"let in"} if rule == SOMEBODY or rule in CALLERS[caller] else {"refused"}


async def test_a_user_of_the_pages_is_held_to_the_same_rules(host: RunningHost) -> None:
    """Pages hide what somebody may not do; the server refuses it anyway."""
    client = await host.client(VIEW_JOBS)
    job = new_id()
    assert "button-danger" not in (await client.get("/admin/jobs/recurring")).text
    for action in ("cancel", "retry", "run-again"):
        assert (await client.post(f"/admin/jobs/{job}/{action}")).status_code == 403
