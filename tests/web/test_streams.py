"""A response that a generator writes ends with its client, wherever that leaves."""

import gc
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest
from starlette.responses import StreamingResponse
from starlette.types import Message

from modhost.permissions import ANYONE
from web.serving import Serving

pytestmark = pytest.mark.anyio


async def test_the_generator_is_closed_when_the_client_leaves_while_it_takes_nothing(
    serving: Serving,
) -> None:
    ends: list[str] = []

    async def numbers() -> AsyncIterator[str]:
        try:
            number = 0
            while True:
                number += 1
                yield f"{number}\n"
        finally:
            await anyio.lowlevel.checkpoint()
            ends.append("closed")

    async def stream() -> StreamingResponse:
        return StreamingResponse(numbers())

    serving.web.endpoints.get("/numbers", stream, permission=ANYONE)
    is_full = anyio.Event()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            is_full.set()
            await anyio.sleep_forever()

    async def receive() -> Message:
        await is_full.wait()
        return {"type": "http.disconnect"}

    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"spec_version": "2.3", "version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/things/numbers",
        "raw_path": b"/api/things/numbers",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"testserver")],
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }
    gc.disable()
    try:
        with serving.client() as client, anyio.fail_after(10):
            await client.app(scope, receive, send)
        assert ends == ["closed"]
    finally:
        gc.enable()
    assert [each.get("body") for each in sent[1:]] == [b"1\n", b"2\n"]
