"""Responses that a generator writes: it ends with them."""

from collections.abc import AsyncGenerator

import anyio
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send


async def send_closing(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response, and close its generator, which would be left where it waits to send.

    A client that leaves cancels the sending, of which the generator learns nothing.
    """
    try:
        await response(scope, receive, send)
    finally:
        stream = response.body_iterator if isinstance(response, StreamingResponse) else None
        if isinstance(stream, AsyncGenerator):
            with anyio.CancelScope(shield=True):
                await stream.aclose()
