"""The `X-Request-ID` of a request: taken over, given back, and in the log."""

import logging
from uuid import UUID

import anyio
import pytest
from starlette.testclient import TestClient

from modhost import ANYONE
from modhost.clock import SystemClock
from modhost.runtime.serving.start_gate import StartGate
from modhost.runtime.start import Start
from telemetry.log_lines import written
from web.serving import Serving

LOGGER = "things"


async def logging_handler() -> None:
    def in_thread() -> None:
        logging.getLogger(LOGGER).info("from a thread")

    logging.getLogger(LOGGER).info("from a task")
    await anyio.to_thread.run_sync(in_thread)


async def broken() -> None:
    msg = "broken"
    raise RuntimeError(msg)


@pytest.fixture
def serving() -> Serving:
    serving = Serving()
    serving.web.endpoints.get("/", logging_handler, permission=ANYONE)
    serving.web.endpoints.get("/broken", broken, permission=ANYONE)
    return serving


@pytest.mark.parametrize("given", ["r-1", "0199:a/b+c=@d_e.f", "x" * 128])
def test_an_id_is_taken_over_given_back_and_logged(serving: Serving, given: str) -> None:
    with serving.client() as client, written() as log:
        response = client.get("/api/things", headers={"X-Request-ID": given})
    assert response.headers.get_list("x-request-id") == [given]
    assert [line["request_id"] for line in log.of(LOGGER)] == [given, given]


@pytest.mark.parametrize(
    "given", ["", " ", "x" * 129, "a b", 'a"b', "a\tb", "-a", "a;b", "\xe4", "a\\nb"]
)
def test_an_id_that_is_none_is_replaced(serving: Serving, given: str) -> None:
    with serving.client() as client, written() as log:
        response = client.get("/api/things", headers={b"X-Request-ID": given.encode("latin-1")})
    answered = response.headers["x-request-id"]
    assert UUID(answered)
    assert {line["request_id"] for line in log.of(LOGGER)} == {answered}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/things/broken", {}, 500),
        ("/api/nothing", {}, 404),
        ("/nothing", {"Accept": "text/html"}, 404),
        ("/api/things", {"Host": "evil"}, 400),
    ],
)
def test_errors_have_it_too(
    serving: Serving, path: str, headers: dict[str, str], status: int
) -> None:
    with serving.client(allowed_hosts=("testserver",)) as client:
        response = client.get(path, headers={"X-Request-ID": "r-1", **headers})
    assert (response.status_code, response.headers["x-request-id"]) == (status, "r-1")


def test_the_reference_of_an_unexpected_error_is_the_id(serving: Serving) -> None:
    with serving.client() as client, written() as log:
        response = client.get("/api/things/broken", headers={"X-Request-ID": "r-1"})
    assert response.json()["detail"].endswith("under r-1.")
    (line,) = log.of("modhost.web")
    assert line["request_id"] == "r-1"
    assert "RuntimeError: broken" in line["exc_info"]


def test_a_host_that_starts_gives_it_back() -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    client = TestClient(StartGate(never, Start(SystemClock())))
    response = client.get("/health/ready", headers={"X-Request-ID": "r-1"})
    assert (response.status_code, response.headers["x-request-id"]) == (503, "r-1")
