"""The connection after an error: kept open, or closed when a body was left unread."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_FIRST_ERROR: Final = 400


class UnreadBodyMiddleware:
    """Sends `Connection: close` with an error that leaves some of the body unread.

    To keep the connection the server would have to read to the end of what was refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and watch whether the body is read until then."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        is_read = False

        async def observed_receive() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or not message.get("more_body", False)
            return message

        async def closing_send(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and not is_read and message["status"] >= _FIRST_ERROR:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, observed_receive, closing_send)


def _has_body(headers: Headers) -> bool:
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
