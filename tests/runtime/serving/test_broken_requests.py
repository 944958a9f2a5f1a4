"""What is not HTTP, sent where a request is expected or within one, on a real connection."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from modhost.runtime.serving.protocol import server_config
from modhost.runtime.serving.server import open_socket

pytestmark = pytest.mark.anyio
START = {"type": "http.response.start", "status": 200, "headers": []}
HEAD = b"POST /%s HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


class Reader:
    """Reads bodies to their end: on `/early` once its answer has begun, on `/unread` not at all."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.has_begun = anyio.Event()
        self.has_ended = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_early = scope["path"] == "/early"
        if is_early:
            await send(START)
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
        self.has_begun.set()
        is_read = scope["path"] != "/unread"
        message = await receive() if is_read else {"type": "unread"}
        while message.get("more_body", False):
            message = await receive()
        self.events.append(message["type"])
        if not is_early:
            await send(START)
        await send({"type": "http.response.body", "body": b"two"})
        self.has_ended.set()


@asynccontextmanager
async def served(app: Reader) -> AsyncIterator[tuple[str, int]]:
    server = uvicorn.Server(server_config(app, timedelta(seconds=5), graceful_seconds=1))
    with open_socket("127.0.0.1", 0) as listener:
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listener])
            yield listener.getsockname()
            server.should_exit = True


async def answer_to(address: tuple[str, int], app: Reader, *parts: bytes) -> bytes:
    """Send a request, and what follows once it is handled; return all until the connection ends."""
    received = b""
    async with await anyio.connect_tcp(*address) as stream:
        with anyio.fail_after(10):
            for number, part in enumerate(parts):
                if number:
                    await app.has_begun.wait()
                await stream.send(part)
            while True:
                try:
                    received += await stream.receive()
                except anyio.EndOfStream:
                    return received


@pytest.mark.parametrize(
    ("parts", "starts", "event"),
    [
        ((HEAD % b"", b"5\r\nabcde\r\n!\r\n"), b"HTTP/1.1 400 ", "http.disconnect"),
        ((HEAD % b"" + b" a\r\n",), b"HTTP/1.1 400 ", "http.disconnect"),
        ((HEAD % b"unread" + b" a\r\n",), b"HTTP/1.1 400 ", "unread"),
        ((HEAD % b"early", b"!\r\n"), b"HTTP/1.1 200 ", "http.disconnect"),
        ((HEAD % b"" + b"0\r\n\r\n\0\r\n\r\n",), b"HTTP/1.1 200 ", "http.request"),
    ],
    ids=[
        "a chunk",
        "the first chunk",
        "a body that nobody reads",
        "after the answer began",
        "after the request",
    ],
)
async def test_a_request_that_turns_into_garbage_ends_without_an_error(
    caplog: pytest.LogCaptureFixture, parts: tuple[bytes, ...], starts: bytes, event: str
) -> None:
    app = Reader()
    with caplog.at_level(logging.ERROR):
        async with served(app) as address:
            received = await answer_to(address, app, *parts)
            with anyio.fail_after(10):
                await app.has_ended.wait()
            # The next one is answered as ever.
            other = await answer_to(
                address, app, b"GET / HTTP/1.1\r\nConnection: close\r\nHost: a\r\n\r\n"
            )
    assert received.startswith(starts)
    assert app.events == [event, "http.request"]
    assert other.endswith(b"two\r\n0\r\n\r\n")
    assert caplog.records == []
