"""The id of each request: that of whoever sends it, for the log and for the answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.ids import new_id
from modhost.telemetry import ErrorOrigin, ErrorReports, LoggedIn, trace_ids

HEADER: Final = "X-Request-ID"
UNKNOWN: Final = "(unknown)"
"""The route of requests that none answers: what they ask for is not a bounded set."""
# What proxies and gateways send, and nothing that would forge a line of a log.
_ACCEPTED: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")
_KEY: Final = "modhost.request_log"


@dataclass(slots=True)
class RequestLog:
    """A request as log lines and reports show it; implements `LogContext`."""

    request_id: str
    method: str
    route: str = UNKNOWN
    """The template of its path, once it is known."""

    def log_fields(self) -> Mapping[str, str | int]:
        """Return the id of the request."""
        return {"request_id": self.request_id}

    def redact(self, text: str) -> str:
        """Return the text: requests have no secrets that are known here."""
        return text

    @property
    def origin(self) -> ErrorOrigin:
        """Where its errors come from."""
        return ErrorOrigin(
            kind="request",
            name=f"{self.method} {self.route}",
            ids={**self.log_fields(), **trace_ids()},
        )


class RequestIdMiddleware:
    """Takes over the `X-Request-ID` of a request, or makes one, and answers with it.

    One that is longer than 128 characters, or has others than those of ids, is replaced.
    """

    def __init__(self, app: ASGIApp, reports: ErrorReports | None = None) -> None:
        self._app = app
        self._reports = reports or ErrorReports()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the id; report an error that is too late for an answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _given(scope) or str(new_id())
        log = scope[_KEY] = RequestLog(request_id, scope["method"])

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with LoggedIn(log):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception as error:
                self._reports.report(error, log.origin)
                raise


def request_log(scope: Scope) -> RequestLog | None:
    """Return how a request is shown in the log; None outside of the middleware that says so."""
    found: RequestLog | None = scope.get(_KEY)
    return found


def note_route(scope: Scope, template: str) -> None:
    """Note which route answers a request; a template, never a path with values."""
    if (log := request_log(scope)) is not None:
        log.route = template


def _given(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            return value.decode("ascii") if _ACCEPTED.fullmatch(value) else None
    return None
