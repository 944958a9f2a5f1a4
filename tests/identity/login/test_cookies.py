"""The cookie of a session: one for each instance at a host name, and kept where it can be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from modhost.testing import RunningHost, running_host
from security.support import PASSWORD, add_user

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def instance(**options: object) -> AsyncIterator[RunningHost]:
    """Run a host of its own, where `vera` can log in."""
    config = {"host": {"environment": "production", "allowed_hosts": ["*"], **options}}
    async with running_host([], config=config) as host:
        await add_user(host, "vera")
        yield host


def browser(host: RunningHost, url: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(host.host.app, client=("127.0.0.1", 4711))
    return httpx2.AsyncClient(transport=transport, base_url=url)


async def log_in(client: httpx2.AsyncClient, path: str = "") -> httpx2.Response:
    form = {"name": "vera", "password": PASSWORD, "next": "/account"}
    return await client.post(f"{path}/login", data=form)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("http://localhost:8000", ""), ("http://localhost:8001", "")),
        (("https://jobs.test", ""), ("https://jobs.test:8443", "")),
        (("https://jobs.test", ""), ("https://jobs.test", "/tools/modhost")),
        (("https://jobs.test", "/one"), ("https://jobs.test", "/two")),
        (("https://jobs.test:8443", "/one"), ("https://jobs.test:9443", "/one")),
    ],
)
async def test_instances_at_one_host_name_leave_each_other_logged_in(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    def public(place: tuple[str, str]) -> dict[str, object]:
        return {"public_url": f"{place[0]}{place[1]}/"} if place[1] or ":8" not in place[0] else {}

    async with instance(**public(one)) as first, instance(**public(other)) as second:
        jar = httpx2.Cookies()
        both = []
        for host, (url, path) in ((first, one), (second, other)):
            # What a browser has at one port, it sends to all ports of the host name.
            client = browser(host, url)
            client._cookies = jar
            assert (await log_in(client, path)).status_code == 303
            both.append((client, path))
        for client, path in both:
            assert (await client.get(f"{path}/account")).status_code == 200
        client, path = both[1]
        await client.post(f"{path}/logout")
        assert (await client.get(f"{path}/account")).status_code == 303
        client, path = both[0]
        assert (await client.get(f"{path}/account")).status_code == 200


async def test_a_session_that_began_under_the_plain_name_continues() -> None:
    async with instance(allowed_hosts=["localhost"]) as host:
        before = browser(host, "http://localhost")
        await log_in(before)
        secret = before.cookies["modhost_session"]
        after = browser(host, "http://localhost:8000")
        after.cookies.set("modhost_session", secret)
        assert (await after.get("/account")).status_code == 200


async def test_a_browser_that_keeps_no_log_in_is_shown_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with instance(trusted_proxies=["127.0.0.1"]) as host:
        lan = browser(host, "http://jobs.lan")
        assert "plain HTTP" not in (await lan.get("/login")).text
        answer = await log_in(lan)
        assert answer.status_code == 303
        lan.cookies.clear()  # as browsers do with what is Secure, and httpx does not
        page = await lan.get(answer.headers["location"])
        assert "plain HTTP" in page.text
        assert "public_url" in page.text
        assert 'value="/account"' in page.text
    assert "did not keep its log-in" in caplog.text


async def test_a_browser_that_keeps_it_arrives_where_it_wanted() -> None:
    """TLS ends at a proxy that does not say so."""
    async with instance() as host:
        client = browser(host, "http://jobs.test")
        answer = await log_in(client)
        (cookie,) = [each.value for each in client.cookies.jar]
        headers = {"Cookie": f"modhost_session={cookie}"}
        page = await client.get(answer.headers["location"], headers=headers)
        assert (page.status_code, page.headers["location"]) == (303, "/account")
