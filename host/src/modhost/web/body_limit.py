"""The bound on the size of a request's body."""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

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
