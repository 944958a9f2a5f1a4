"""Every route and page that the built host knows, asked by each kind of caller."""

import re
from typing import Final

import httpx2
import pytest
from starlette.routing import Mount

from modhost import new_id
from modhost.permissions import Anyone
from modhost.testing import RunningHost
from security.support import add_role, add_user, browser

pytestmark = pytest.mark.anyio

ANYONE: Final = "anyone"
SOMEBODY: Final = "somebody who is logged in"
VIEW_JOBS: Final = "BackgroundJobs.ViewJobs"
MANAGE_JOBS: Final = "BackgroundJobs.ManageJobs"
USERS: Final = "Identity.ManageUsers"
TOKENS: Final = "Identity.ManageTokens"
AUDIT: Final = "Host.ViewAudit"
SYSTEM: Final = "Host.ViewSystem"
SETTINGS: Final = "Host.ViewSettings"
MANAGE_SETTINGS: Final = "Host.ManageSettings"
METRICS: Final = "Host.ViewMetrics"
VIEW: Final = "Reports.View"
GENERATE: Final = "Reports.Generate"

# A new route or page needs a line here; it says who may, on purpose, a second time.
RULES: Final = {
    "GET /": ANYONE,
    "GET /docs": ANYONE,
    "GET /openapi.json": ANYONE,
    "GET /health/live": ANYONE,
    "GET /health/ready": ANYONE,
    "GET /metrics": METRICS,
    "GET /login": ANYONE,
    "POST /login": ANYONE,
    "GET /login/once/{secret}": ANYONE,
    "POST /logout": ANYONE,
    "GET /login/oidc": ANYONE,
    "GET /login/oidc/callback": ANYONE,
    "GET /admin": SOMEBODY,
    "GET /account": SOMEBODY,
    "POST /account": SOMEBODY,
    "POST /account/sessions/end-others": SOMEBODY,
    "POST /account/sessions/{id}/end": SOMEBODY,
    "GET /admin/audit": AUDIT,
    "GET /api/audit": AUDIT,
    "GET /admin/system": SYSTEM,
    "GET /admin/settings": SETTINGS,
    "GET /admin/settings/{module}": MANAGE_SETTINGS,
    "POST /admin/settings/{module}": MANAGE_SETTINGS,
    "POST /admin/settings/{module}/{name}/reset": MANAGE_SETTINGS,
    "GET /api/settings": SETTINGS,
    "GET /api/settings/{module}/{name}": SETTINGS,
    "PUT /api/settings/{module}/{name}": MANAGE_SETTINGS,
    "DELETE /api/settings/{module}/{name}": MANAGE_SETTINGS,
    "GET /admin/users": USERS,
    "POST /admin/users": USERS,
    "GET /admin/users/{id}": USERS,
    "POST /admin/users/{id}/assign": USERS,
    "GET /admin/users/{id}/disable": USERS,
    "POST /admin/users/{id}/disable": USERS,
    "POST /admin/users/{id}/enable": USERS,
    "POST /admin/users/{id}/logout": USERS,
    "POST /admin/users/{id}/password": USERS,
    "POST /admin/users/{id}/sessions/{session}/end": USERS,
    "POST /admin/users/{id}/withdraw": USERS,
    "GET /admin/roles": USERS,
    "POST /admin/roles": USERS,
    "POST /admin/roles/grant": USERS,
    "GET /admin/roles/remove": USERS,
    "POST /admin/roles/remove": USERS,
    "POST /admin/roles/revoke": USERS,
    "GET /admin/tokens": TOKENS,
    "POST /admin/tokens": TOKENS,
    "GET /admin/tokens/{id}/revoke": TOKENS,
    "POST /admin/tokens/{id}/revoke": TOKENS,
    "POST /times": ANYONE,
    "GET /admin/jobs": VIEW_JOBS,
    "GET /admin/jobs/events": VIEW_JOBS,
    "GET /admin/jobs/list": VIEW_JOBS,
    "GET /admin/jobs/workers": VIEW_JOBS,
    "POST /admin/jobs/workers/quiet": MANAGE_JOBS,
    "POST /admin/jobs/workers/resume": MANAGE_JOBS,
    "GET /admin/jobs/recurring": VIEW_JOBS,
    "POST /admin/jobs/recurring": MANAGE_JOBS,
    "GET /admin/jobs/recurring/{id}": VIEW_JOBS,
    "GET /admin/jobs/recurring/new": MANAGE_JOBS,
    "POST /admin/jobs/recurring/new": MANAGE_JOBS,
    "GET /admin/jobs/recurring/preview": MANAGE_JOBS,
    "GET /admin/jobs/recurring/{id}/edit": MANAGE_JOBS,
    "POST /admin/jobs/recurring/{id}/edit": MANAGE_JOBS,
    "GET /admin/jobs/{id}": VIEW_JOBS,
    "GET /admin/jobs/{id}/log.txt": VIEW_JOBS,
    "GET /admin/jobs/{id}/input.json": VIEW_JOBS,
    "GET /admin/jobs/{id}/result.json": VIEW_JOBS,
    "GET /admin/jobs/many": MANAGE_JOBS,
    "POST /admin/jobs/searches": VIEW_JOBS,
    "POST /admin/jobs/searches/forget": VIEW_JOBS,
    "POST /admin/jobs/many": MANAGE_JOBS,
    "POST /admin/jobs/many/apply": MANAGE_JOBS,
    "GET /admin/jobs/recurring/{id}/delete": MANAGE_JOBS,
    "POST /admin/jobs/recurring/{id}/delete": MANAGE_JOBS,
    "POST /admin/jobs/recurring/{id}/disable": MANAGE_JOBS,
    "POST /admin/jobs/recurring/{id}/enable": MANAGE_JOBS,
    "POST /admin/jobs/recurring/{id}/run": MANAGE_JOBS,
    "POST /admin/jobs/recurring/{id}/toggle": MANAGE_JOBS,
    "GET /admin/jobs/queues": VIEW_JOBS,
    "GET /admin/jobs/queues/pause": MANAGE_JOBS,
    "POST /admin/jobs/queues/pause": MANAGE_JOBS,
    "POST /admin/jobs/queues/resume": MANAGE_JOBS,
    "GET /admin/jobs/queues/limit": MANAGE_JOBS,
    "POST /admin/jobs/queues/limit": MANAGE_JOBS,
    "POST /admin/jobs/queues/limit/reset": MANAGE_JOBS,
    "GET /admin/jobs/types": VIEW_JOBS,
    "GET /admin/jobs/types/{job_type:path}": VIEW_JOBS,
    "GET /admin/jobs/workflows": VIEW_JOBS,
    "GET /admin/jobs/workflows/{id}": VIEW_JOBS,
    "GET /admin/jobs/workflows/{id}/cancel": MANAGE_JOBS,
    "POST /admin/jobs/workflows/{id}/cancel": MANAGE_JOBS,
    "GET /admin/jobs/workflows/{id}/retry": MANAGE_JOBS,
    "POST /admin/jobs/workflows/{id}/retry": MANAGE_JOBS,
    "GET /admin/jobs/{id}/delete": MANAGE_JOBS,
    "POST /admin/jobs/{id}/delete": MANAGE_JOBS,
    "GET /admin/jobs/{id}/reschedule": MANAGE_JOBS,
    "POST /admin/jobs/{id}/reschedule": MANAGE_JOBS,
    "POST /admin/jobs/{id}/run-now": MANAGE_JOBS,
    "POST /admin/jobs/{id}/cancel": MANAGE_JOBS,
    "POST /admin/jobs/{id}/retry": MANAGE_JOBS,
    "GET /admin/jobs/{id}/run-again": MANAGE_JOBS,
    "POST /admin/jobs/{id}/run-again": MANAGE_JOBS,
    "GET /api/jobs": VIEW_JOBS,
    "GET /api/jobs/recurring": VIEW_JOBS,
    "GET /api/jobs/workers": VIEW_JOBS,
    "GET /api/jobs/workers/departed": VIEW_JOBS,
    "POST /api/jobs/workers/{name}/quiet": MANAGE_JOBS,
    "POST /api/jobs/workers/{name}/resume": MANAGE_JOBS,
    "GET /api/jobs/queues": VIEW_JOBS,
    "POST /api/jobs/queues/{name:path}/pause": MANAGE_JOBS,
    "POST /api/jobs/queues/{name:path}/resume": MANAGE_JOBS,
    "GET /api/jobs/types": VIEW_JOBS,
    "GET /api/jobs/types/{job_type:path}": VIEW_JOBS,
    "POST /api/jobs/types/{job_type:path}/pause": MANAGE_JOBS,
    "POST /api/jobs/types/{job_type:path}/resume": MANAGE_JOBS,
    "GET /api/jobs/limits": VIEW_JOBS,
    "PUT /api/jobs/limits/{name:path}": MANAGE_JOBS,
    "GET /api/jobs/workflows": VIEW_JOBS,
    "GET /api/jobs/workflows/{id}": VIEW_JOBS,
    "POST /api/jobs/workflows/{id}/cancel": MANAGE_JOBS,
    "POST /api/jobs/workflows/{id}/retry": MANAGE_JOBS,
    "GET /api/jobs/{id}": VIEW_JOBS,
    "GET /api/jobs/{id}/actions": VIEW_JOBS,
    "POST /api/jobs/recurring": MANAGE_JOBS,
    "PUT /api/jobs/recurring/{id}": MANAGE_JOBS,
    "POST /api/jobs/recurring/{id}/run-now": MANAGE_JOBS,
    "DELETE /api/jobs/recurring/{id}": MANAGE_JOBS,
    "POST /api/jobs/recurring/{id}/disable": MANAGE_JOBS,
    "POST /api/jobs/recurring/{id}/enable": MANAGE_JOBS,
    "POST /api/jobs/recurring/{id}/toggle": MANAGE_JOBS,
    "DELETE /api/jobs/{id}": MANAGE_JOBS,
    "POST /api/jobs/{id}/reschedule": MANAGE_JOBS,
    "POST /api/jobs/{id}/run-now": MANAGE_JOBS,
    "POST /api/jobs/{id}/cancel": MANAGE_JOBS,
    "POST /api/jobs/{id}/retry": MANAGE_JOBS,
    "POST /api/reports": GENERATE,
    "GET /api/reports/{job_id}": VIEW,
    "GET /api/reports/{job_id}.csv": VIEW,
    "GET /api/reports/{job_id}.svg": VIEW,
    "GET /reports": VIEW,
    "POST /reports": GENERATE,
    "POST /reports/compare": GENERATE,
}
STATIC: Final = {
    f"{folder}/{name}"
    for folder in ("/static", "/static/v-{version}")
    for name in ("modhost", "background_jobs", "reports_example")
}

USER: Final = "a user who is logged in"

CALLERS: Final[dict[str, frozenset[str]]] = {
    "anonymous": frozenset(),
    "without permissions": frozenset(),
    "view only": frozenset({VIEW_JOBS, VIEW, AUDIT, SETTINGS, SYSTEM, METRICS}),
    "manage": frozenset({VIEW_JOBS, MANAGE_JOBS, VIEW, GENERATE}),
    "administration": frozenset({USERS, TOKENS, MANAGE_SETTINGS}),
    USER: frozenset({VIEW_JOBS}),
}


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
