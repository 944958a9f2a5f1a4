"""The id of each request: that of whoever sends it, for the log and for the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.ids import new_id
from modhost.telemetry import LoggedIn

HEADER: Final = "X-Request-ID"
# What proxies and gateways send, and nothing that would forge a line of a log.
_ACCEPTED: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
_KEY: Final = "modhost.request_id"


@dataclass(frozen=True, slots=True)
class RequestLog:
    """A request as its log lines show it; implements `LogContext`."""

    request_id: str

    def log_fields(self) -> Mapping[str, str | int]:
        """Return the id of the request."""
        return {"request_id": self.request_id}

    def redact(self, text: str) -> str:
        """Return the text: requests have no secrets that are known here."""
        return text


class RequestIdMiddleware:
    """Takes over the `X-Request-ID` of a request, or makes one, and answers with it.

    One that is longer than 128 characters, or has others than those of ids, is replaced.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope[_KEY] = _given(scope) or str(new_id())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with LoggedIn(RequestLog(request_id)):
            await self._app(scope, receive, send_with_id)


def request_id_of(scope: Scope) -> str | None:
    """Return the id of a request; None outside of the middleware that gives it one."""
    found: str | None = scope.get(_KEY)
    return found


def _given(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode("ascii") if _ACCEPTED.fullmatch(value) else None
    return None
