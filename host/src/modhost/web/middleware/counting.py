"""Counts of requests by the route that answers them, for metrics."""

from collections import Counter
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.metrics import Histogram
from modhost.web.middleware.request_ids import UNKNOWN, request_log

UNANSWERED: Final = "none"
"""The status of requests whose client was gone before an answer began."""
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestCounts:
    """What a process has answered since it began."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        """How many requests, by method, route and status."""
        self.seconds: dict[str, Histogram] = {}
        """How long they took until their answers began, by route."""

    def count(self, method: str, route: str, status: str, seconds: float) -> None:
        """Count a request."""
        self.requests[method, route, status] += 1
        if (taken := self.seconds.get(route)) is None:
            taken = self.seconds[route] = Histogram(_BOUNDS)
        taken.observe(seconds)


class CountingMiddleware:
    """Counts each request by its method, the template of its route, and the status."""

    def __init__(self, app: ASGIApp, counts: RequestCounts) -> None:
        self._app = app
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and count the answer when it begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        log = request_log(scope)
        began = perf_counter()
        is_counted = False

        def count(status: str) -> None:
            nonlocal is_counted
            is_counted = True
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            route = log.route if log else UNKNOWN
            self._counts.count(method, route, status, perf_counter() - began)

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                count(str(message["status"]))
            await send(message)

        try:
            await self._app(scope, receive, counting_send)
        except Exception:
            if not is_counted:
                count("500")
            raise
        if not is_counted:
            count(UNANSWERED)
