"""A request may name the host with the path, as clients do that speak to a proxy."""

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from modhost.permissions import ANYONE
from web.serving import Serving


class ToldAsSent:
    """Hands the application the target of a request as uvicorn does: the path is all of it."""

    def __init__(self, app: ASGIApp, authority: str) -> None:
        self._app = app
        self._authority = authority

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = {
            "path": f"{self._authority}{scope['path']}",
            "raw_path": self._authority.encode() + scope["raw_path"],
        }
        await self._app({**scope, **target}, receive, send)


async def echo(name: str, request: Request) -> str:
    return f"{name} at {request.url.path} by {request.url.query}"


@pytest.fixture
def serving() -> Serving:
    serving = Serving()
    serving.web.endpoints.get("/{name}", echo, permission=ANYONE)
    return serving


def get(serving: Serving, authority: str, path: str, host: str = "testserver") -> tuple[int, str]:
    """Ask a host that answers to `testserver` alone; return the status and the text."""
    with serving.client(allowed_hosts=("testserver",)) as client:
        proxied = TestClient(ToldAsSent(client.app, authority))
        answer = proxied.get(path, headers={"Host": host})
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    "authority", ["http://testserver", "HTTPS://TestServer:8000", "http://testserver:80"]
)
def test_an_absolute_target_answers_as_its_path_does(serving: Serving, authority: str) -> None:
    status, text = get(serving, authority, "/api/things/a%20b?page=3")
    assert (status, text) == (200, '"a b at /api/things/a b by page=3"')


def test_the_host_of_an_absolute_target_goes_before_the_header(serving: Serving) -> None:
    assert get(serving, "http://testserver", "/api/things/x", host="elsewhere")[0] == 200
    assert get(serving, "http://elsewhere", "/api/things/x", host="testserver")[0] == 400


@pytest.mark.parametrize("authority", ["ftp://testserver", "http://eve@testserver", "testserver"])
def test_a_target_of_another_form_is_not_a_path(serving: Serving, authority: str) -> None:
    assert get(serving, authority, "/api/things/x")[0] == 404
