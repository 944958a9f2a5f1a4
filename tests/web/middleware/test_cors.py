"""What the middleware of a module adds to answers, errors have too."""

import logging

import pytest
from starlette.middleware.cors import CORSMiddleware

from modhost.permissions import ANYONE
from modhost.web import HttpProblem
from web.serving import VIEW, Serving

ORIGIN = {"Origin": "https://shop.example"}


async def fail() -> str:
    raise RuntimeError("no")


async def refuse() -> str:
    raise HttpProblem(409, "Not now.")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/fail", 500), ("/refuse", 409), ("/locked", 401), ("/missing", 404)],
)
def test_an_error_has_the_headers_of_cors(
    path: str, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    serving = Serving()
    serving.web.middleware.add(CORSMiddleware, allow_origins=["https://shop.example"])
    serving.web.endpoints.get("/fail", fail, permission=ANYONE)
    serving.web.endpoints.get("/refuse", refuse, permission=ANYONE)
    serving.web.endpoints.get("/locked", refuse, permission=VIEW)
    with serving.client() as client, caplog.at_level(logging.ERROR):
        answer = client.get(f"/api/things{path}", headers=ORIGIN)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert caplog.text.count("the caller was shown the reference") == (status == 500)
