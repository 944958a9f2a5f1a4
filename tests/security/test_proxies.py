"""Behind a proxy, and in front of one that only says that it is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from modhost.audit import AuditReader, AuditSearch
from modhost.testing import RunningHost, running_host
from security.support import PASSWORD, add_user

pytestmark = pytest.mark.anyio

PROXY = "10.1.2.3"
STRANGER = "203.0.113.9"
FORWARDED = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


@asynccontextmanager
async def behind(sqlite_url: str, **options: object) -> AsyncIterator[RunningHost]:
    given = {"environment": "production", "allowed_hosts": ["*"], **options}
    config = {"host": {"database_url": sqlite_url, **given}}
    async with running_host([], config=config) as host:
        yield host


def client(host: RunningHost, address: str, url: str = "http://jobs.test") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(host.host.app, client=(address, 4711))
    return httpx2.AsyncClient(transport=transport, base_url=url)


async def fail_to_log_in(host: RunningHost, address: str) -> str:
    """Return the address that the audit has for a failed login."""
    form = {"name": "nobody", "password": "wrong"}
    answer = await client(host, address).post("/login", data=form, headers=FORWARDED)
    assert answer.status_code == 403
    async with host.scope() as scope:
        (entry,) = await (await scope.get(AuditReader)).newest(AuditSearch(action="login"), 1)
    return entry.address or ""


async def test_a_trusted_proxy_says_where_a_request_comes_from(sqlite_url: str) -> None:
    async with behind(sqlite_url, trusted_proxies=["10.0.0.0/8"]) as host:
        assert await fail_to_log_in(host, PROXY) == "198.51.100.7"


async def test_nobody_else_is_trusted(sqlite_url: str) -> None:
    async with behind(sqlite_url, trusted_proxies=["10.0.0.0/8"]) as host:
        assert await fail_to_log_in(host, STRANGER) == STRANGER
        answer = await client(host, STRANGER).get("/login", headers=FORWARDED)
        assert "strict-transport-security" not in answer.headers


async def test_without_a_trusted_proxy_nobody_is_trusted(sqlite_url: str) -> None:
    async with behind(sqlite_url) as host:
        assert await fail_to_log_in(host, "127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize(
    ("options", "address"),
    [({"behind_tls": True}, STRANGER), ({"trusted_proxies": [PROXY]}, PROXY)],
)
async def test_behind_tls_cookies_are_secure_and_browsers_keep_to_it(
    sqlite_url: str, options: dict[str, object], address: str
) -> None:
    async with behind(sqlite_url, **options) as host:
        await add_user(host, "vera")
        browser = client(host, address, "http://localhost")
        form = {"name": "vera", "password": PASSWORD}
        answer = await browser.post("/login", data=form, headers=FORWARDED)
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_a_host_name_that_is_not_ours_is_not_answered(sqlite_url: str) -> None:
    async with behind(sqlite_url, allowed_hosts=["jobs.test"]) as host:
        assert (await client(host, STRANGER).get("/login")).status_code == 200
        forged = client(host, STRANGER, "http://evil.test")
        assert (await forged.get("/login")).status_code == 400


async def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(sqlite_url: str) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000_000_000:
            sent += 65_536
            yield b"x" * 65_536

    async with behind(sqlite_url) as host:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client(host, STRANGER).post("/login", content=endless(), headers=kind)
        assert answer.status_code == 413
        assert sent < 10_000_000
        announced = {**kind, "Content-Length": "1000000000"}
        answer = await client(host, STRANGER).post("/login", content=b"x", headers=announced)
        assert answer.status_code == 413
