"""Logins at a host whose public address has a port and a path, whatever `Host` a proxy sends."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from identity.external.oidc.browsing import WITHOUT_TLS
from identity.external.oidc.issuer import CLIENT, SECRET, Issuer
from modhost.identity import LoginService
from modhost.testing import RunningHost, running_host
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio

PUBLIC = "http://localhost:8080/tools/modhost"


def browser(host: RunningHost) -> httpx2.AsyncClient:
    """Return a browser that a proxy serves, which changes the `Host` header."""
    transport = httpx2.ASGITransport(host.host.app, client=("127.0.0.1", 4711))
    return httpx2.AsyncClient(
        transport=transport, base_url="http://localhost:8080", headers={"Host": "10.0.0.7:8000"}
    )


async def test_a_login_at_a_provider_returns_below_the_path(
    issuer: Issuer, clock: MovingClock
) -> None:
    oidc = {"issuer": issuer.url, "client_id": CLIENT, "client_secret": SECRET}
    config = {"host": {"public_url": f"{PUBLIC}/"}, "modules": {"oidc": oidc}}
    async with running_host(config=config, clock=clock) as host:
        client = browser(host)
        page = await client.get("/tools/modhost/login?next=/account")
        found = re.search(r'href="(/tools/modhost/login/oidc\?next=[^"]+)"', page.text)
        assert found, page.text
        begun = await client.get(found[1])
        asked = parse_qs(urlsplit(begun.headers["location"]).query)
        assert asked["redirect_uri"] == [f"{PUBLIC}/login/oidc/callback"]
        assert "Path=/tools/modhost/login/oidc" in begun.headers["set-cookie"]
        async with httpx2.AsyncClient(verify=WITHOUT_TLS) as web:
            sent = await web.get(begun.headers["location"])
        assert sent.headers["location"].startswith(f"{PUBLIC}/login/oidc/callback?")
        arrived = await client.get(sent.headers["location"].removeprefix("http://localhost:8080"))
        assert arrived.status_code == 303, arrived.text
        assert arrived.headers["location"] == "/tools/modhost/account"
        assert (await client.get("/tools/modhost/account")).status_code == 200


async def test_a_one_time_link_leads_below_the_path() -> None:
    async with running_host([], config={"host": {"public_url": f"{PUBLIC}/"}}) as host:
        async with host.scope() as scope:
            path = await (await scope.get(LoginService)).create_link()
        client = browser(host)
        answer = await client.get(f"/tools/modhost{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/tools/modhost/admin")
        assert "Path=/tools/modhost;" in answer.headers["set-cookie"] + ";"
        assert (await client.get("/tools/modhost/account")).status_code == 200
        # A visitor who is not logged in is sent to the login, and from there to where they were.
        stranger = browser(host)
        sent = await stranger.get("/tools/modhost/account?x=1")
        assert sent.headers["location"] == "/tools/modhost/login?next=/account%3Fx%3D1"
