"""Responses that a generator writes: it ends with them."""

from collections.abc import AsyncGenerator

import anyio
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send


async def send_closing(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response, and close its generator, which would be left where it waits to send.

    A client that leaves cancels the sending, of which the generator learns nothing. Raises
    `ClientDisconnect` then, so that services do not take for whole what was cut off.
    """
    if not isinstance(response, StreamingResponse):
        await response(scope, receive, send)
        return
    is_whole = False

    async def observed_send(message: Message) -> None:
        nonlocal is_whole
        await send(message)
        is_whole = message["type"] == "http.response.body" and not message.get("more_body")

    try:
        await response(scope, receive, observed_send)
    finally:
        stream = response.body_iterator
        if isinstance(stream, AsyncGenerator):
            with anyio.CancelScope(shield=True):
                await stream.aclose()
    if not is_whole:
        raise ClientDisconnect
