"""The API answers as its own description says, whatever it is sent and whoever asks."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
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

from security.support import whole_host

KINDS: Final[dict[str, tuple[str, ...]]] = {
    "anonymous": (),
    "without permissions": (),
    "view only": ("BackgroundJobs.ViewJobs", "Reports.View", "Host.ViewAudit"),
    "manage": ("BackgroundJobs.*", "Reports.*", "Host.ViewAudit"),
}
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

    async def serve(self) -> None:
        try:
            async with whole_host(self.database_url) as host:
                for kind, permissions in KINDS.items():
                    self.tokens[kind] = await host.token(*permissions)
                config = uvicorn.Config(host.host.app, lifespan="off", log_config=None)
                self.server = uvicorn.Server(config)
                with socket.create_server(("127.0.0.1", 0)) as listener:
                    self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                    self.ready.set()
                    await self.server.serve([listener])
        finally:
            self.ready.set()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("api")
    served = Served(f"sqlite:///{folder}/host.db")
    thread = threading.Thread(target=anyio.run, args=[served.serve])
    thread.start()
    served.ready.wait(60)
    assert served.server is not None
    yield served
    served.server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_is_a_500_or_undocumented(served: Served, kind: str) -> None:
    headers = {"Authorization": f"Bearer {served.tokens[kind]}"} if kind != "anonymous" else {}
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    operations: list[Any] = [
        found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)
    ]
    assert len(operations) >= 14
    for operation in operations:
        _checked(operation, headers)()


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
            told = answer.read().decode().lower()
    assert told.startswith(f"http/1.1 {status} ")
    assert "\r\nconnection: close\r\n" in told


def _checked(operation: Any, headers: dict[str, str]) -> Callable[[], None]:
    @settings(
        max_examples=12,
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
