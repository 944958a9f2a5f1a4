"""The bound on the size of a request's body."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.web.problems import HttpProblem

DEFAULT_BODY_LIMIT: Final = 1024 * 1024


def limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Return a `receive` that raises the problem 413 once the body has more than `limit` bytes.

    Starlette's own limit answers in plain text, and replaces a refusal such as 401 by its 413.
    """
    announced = Headers(scope=scope).get("content-length", "")
    too_large = HttpProblem(413, f"The body is larger than the {limit} bytes that are taken here.")
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        if announced.isdecimal() and int(announced) > limit:
            raise too_large
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large
        return message

    return receive_limited


_FIRST_ERROR: Final = 400


class UnreadBodyMiddleware:
    """Says `Connection: close` with an error that leaves some of the body unread.

    To keep the connection the server would have to read to the end of what was refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and see what of the body is read until then."""
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
