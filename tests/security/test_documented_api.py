"""The API answers as its own description says, whatever it is sent and whoever asks."""

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection
from itertools import product
from typing import Any, Final

import anyio
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hosts import whole_host
from modhost.runtime.serving.server import open_socket
from postgres import Postgres
from sweeps import swept

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "anonymous": (),
    "without permissions": (),
    "view only": ("BackgroundJobs.ViewJobs", "Reports.View", "Host.ViewAudit"),
    "manage": ("BackgroundJobs.*", "Reports.*", "Host.ViewAudit"),
}
# As they stand in an address: no text, no number, no time that a database could keep.
NASTY: Final = [
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%FF",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    str(2**63),
    str(10**30),
    "-1",
    "",
    "%25_%27%22%5C",
    "x" * 5000,
]
CHECKS: Final = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@dataclass
class Served:
    """A host on a real port, in a thread with an event loop of its own."""

    database_url: str
    url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    ready: threading.Event = field(default_factory=threading.Event)
    server: uvicorn.Server | None = None

    @cached_property
    def operations(self) -> list[Any]:
        """All that the description has."""
        schema = schemathesis.openapi.from_url(f"{self.url}/openapi.json")
        return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]

    async def serve(self) -> None:
        try:
            async with whole_host(self.database_url) as host:
                for kind, permissions in KINDS.items():
                    self.tokens[kind] = await host.token(*permissions)
                config = uvicorn.Config(host.host.app, lifespan="off", log_config=None)
                self.server = uvicorn.Server(config)
                with open_socket("127.0.0.1", 0) as listener:
                    self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                    self.ready.set()
                    await self.server.serve([listener])
        finally:
            self.ready.set()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url_of_all(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a database, of each kind in turn, for all tests of this file."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('api')}/host.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    yield server.create("documented_api")
    server.drop("documented_api")


@pytest.fixture(scope="module")
def served(url_of_all: str) -> Iterator[Served]:
    served = Served(url_of_all)
    thread = threading.Thread(target=anyio.run, args=[served.serve])
    thread.start()
    served.ready.wait(60)
    assert served.server is not None
    yield served
    served.server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("url_of_all", "kind"),
    swept(
        product(("sqlite", "postgresql"), KINDS),
        # Without a permission nobody gets as far as the database.
        always=[
            *(("sqlite", kind) for kind in ("anonymous", "without permissions")),
            ("postgresql", "manage"),
        ],
    ),
    indirect=["url_of_all"],
)
def test_no_answer_is_a_500_or_undocumented(served: Served, kind: str) -> None:
    headers = {"Authorization": f"Bearer {served.tokens[kind]}"} if kind != "anonymous" else {}
    assert len(served.operations) >= 14
    for operation in served.operations:
        # Those without permissions are refused before anything is read.
        _checked(operation, headers, examples=8 if KINDS[kind] else 3)()


def test_no_nasty_value_is_answered_with_a_500(served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.tokens['manage']}"}
    address = served.url.removeprefix("http://")
    connection = HTTPConnection(address, timeout=20)

    def status_of(method: str, path: str, body: bytes | None = None) -> int:
        more = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body, headers | more)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    connection.request("GET", "/openapi.json")
    paths = json.load(connection.getresponse())["paths"]
    failed = [
        (method, path)
        for template, methods in paths.items()
        for method, described in methods.items()
        for path in _nasty_paths(template, described.get("parameters", []))
        if status_of(method.upper(), path) >= 500
    ]
    failed += [
        ("order", repr(order))
        for order in _nasty_orders()
        if status_of("POST", "/api/reports", json.dumps(order).encode()) >= 500
    ]
    connection.close()
    assert failed == []


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /api/reports HTTP/1.1\r\nContent-Length: 1000000", 401),
        ("POST /nowhere HTTP/1.1\r\nTransfer-Encoding: chunked", 404),
        ("POST /login HTTP/1.1\r\nContent-Length: 1000000000", 413),
    ],
)
def test_a_connection_whose_body_nobody_reads_is_closed(
    served: Served, head: str, status: int
) -> None:
    address = ("127.0.0.1", int(served.url.rpartition(":")[2]))
    form = "Content-Type: application/x-www-form-urlencoded"
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(f"{head}\r\nHost: localhost\r\n{form}\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            reported = answer.read().decode().lower()
    assert reported.startswith(f"http/1.1 {status} ")
    assert "\r\nconnection: close\r\n" in reported


def _nasty_paths(template: str, parameters: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the path with one nasty value after the other in each place that takes one."""
    for parameter in parameters:
        for value in NASTY:
            if parameter["in"] == "path":
                yield template.replace(f"{{{parameter['name']}}}", value)
            elif parameter["in"] == "query":
                path = re.sub(r"\{[^}]*\}", "01a217f6-6e54-7349-9072-2de22e5fa9bf", template)
                yield f"{path}?{parameter['name']}={value}"


def _nasty_orders() -> Iterator[dict[str, object]]:
    order: dict[str, object] = {"type": "monthly", "source": "seattle-weather"}
    moments = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
    values: list[object] = [*moments, "\0", "\ud800", "", 10**30, -1, 1e308, True, [], {}, None]
    for key in ("type", "source", "execute_at", "more"):
        for value in values:
            yield order | {key: value}


def _checked(operation: Any, headers: dict[str, str], examples: int) -> Callable[[], None]:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: Any) -> None:
        response = case.call(headers=headers, timeout=20)
        case.validate_response(response, checks=CHECKS)

    return check
