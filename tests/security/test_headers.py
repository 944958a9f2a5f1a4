"""The headers that every answer has, whoever gave it."""

from typing import Any, ClassVar, Final

import anyio
import pytest

from modhost import Module, hookimpl
from modhost.permissions import ANYONE
from modhost.testing import RunningHost, running_host
from modhost.web import Endpoints
from modhost_background_jobs.module import BackgroundJobsModule

pytestmark = pytest.mark.anyio

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "strict-transport-security": "max-age=31536000",
}


class FailingModule(Module):
    name: ClassVar[str] = "failing"
    route_prefix: ClassVar[str] = "/api/failing"

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/", fail, permission=ANYONE)


async def fail() -> str:
    raise RuntimeError("no")


async def test_every_answer_has_the_security_headers(sqlite_url: str) -> None:
    options = {
        "database_url": sqlite_url,
        "environment": "production",
        "behind_tls": True,
        "allowed_hosts": ["localhost"],
    }
    modules = [BackgroundJobsModule(), FailingModule()]
    async with running_host(modules, config={"host": options}) as host:
        client = await host.client()
        large = {"Content-Length": "1000000000", "Content-Type": "text/plain"}
        form = large | {"Content-Type": "application/x-www-form-urlencoded"}
        answers = {
            200: await client.get("/login"),
            303: await client.get("/admin/jobs"),
            400: await client.get("/login", headers={"Host": "evil.test"}),
            401: await client.get("/api/jobs"),
            404: await client.get("/nowhere"),
            413: await client.post("/login", content=b"x", headers=form),
            500: await client.get("/api/failing"),
        }
        static = await client.get("/static/modhost/shell.css")
        token = await host.token("BackgroundJobs.ViewJobs")
        stream = await first_headers(host, "/admin/jobs/events", b"watch=dashboard", token)
    assert {status: answer.status_code for status, answer in answers.items()} == {
        status: status for status in answers
    }
    assert static.status_code == 200
    assert stream["content-type"].startswith("text/event-stream")
    for reported in (
        *(dict(each.headers) for each in answers.values()),
        dict(static.headers),
        stream,
    ):
        assert {name: reported.get(name) for name in HEADERS} == HEADERS
    dynamic = [each.headers["cache-control"] for each in answers.values()]
    assert {*dynamic, stream["cache-control"]} == {"no-store"}
    assert static.headers["cache-control"] == "no-cache"


async def first_headers(host: RunningHost, path: str, query: bytes, token: str) -> dict[str, str]:
    """Return the headers of an answer that never ends."""
    found: dict[str, str] = {}
    scope = {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "query_string": query,
        "headers": [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 4711),
    }

    async def receive() -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.update((name.decode(), value.decode()) for name, value in message["headers"])
            group.cancel_scope.cancel()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(host.host.app, scope, receive, send)
    return found
