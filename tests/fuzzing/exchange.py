"""A request as it stands on the wire, and its answer, without a network between them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

import anyio
from starlette.types import ASGIApp, Message, Scope

ANSWER_SECONDS: Final = 60.0
"""Far beyond what an answer takes on a machine that has other work."""
STREAM_SECONDS: Final = 0.05


class Fault(AssertionError):
    """What an answer, or the host after it, should not be."""


@dataclass(frozen=True)
class Request:
    """A request; each character of its texts is a byte."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    caller: str = "anonymous"

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "Request":
        """Return the request of a line of a corpus."""
        pairs = tuple((str(name), str(text)) for name, text in value.get("headers", ()))
        caller = value.get("as", "anonymous")
        return cls(value["method"], value["target"], pairs, value.get("body", ""), caller)

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])


@dataclass
class Answer:
    """What came back."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return the first header of a name; empty without one."""
        found = (value for key, value in self.headers if key.lower() == name.encode())
        return next(found, b"").decode("latin-1")

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        return json.loads(self.body)


async def exchange(app: ASGIApp, request: Request, authority: str) -> Answer:
    """Send a request as the server of the host would, and return the answer.

    A stream is left shortly after it began.

    Raises:
        TimeoutError: there is no answer within `ANSWER_SECONDS`.

    """
    answer = Answer()
    gone = anyio.Event()
    parts = [request.body.encode("latin-1")]

    async def receive() -> Message:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(bytes(name), bytes(value)) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")
            if not message.get("more_body", False):
                gone.set()

    async def leave_streams() -> None:
        while answer.header("content-type") != "text/event-stream; charset=utf-8":
            await anyio.sleep(STREAM_SECONDS)
        await anyio.sleep(STREAM_SECONDS)
        gone.set()

    with anyio.fail_after(ANSWER_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(leave_streams)
            await app(_scope_of(request, authority), receive, send)
            group.cancel_scope.cancel()
    return answer


def _scope_of(request: Request, authority: str) -> Scope:
    path, _, query = request.target.partition("?")
    given = [
        (name.lower().encode("latin-1"), text.strip(" \t").encode("latin-1"))
        for name, text in request.headers
    ]
    if not any(name == b"host" for name, _ in given):
        given.append((b"host", authority.encode()))
    if request.body and not any(name == b"content-length" for name, _ in given):
        given.append((b"content-length", str(len(request.body)).encode()))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": given,
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
