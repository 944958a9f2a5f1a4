"""What a host answers while it starts: probes, and that it is not ready."""

from typing import Final

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from modhost.runtime.health import Liveness, PartHealth, Readiness
from modhost.runtime.start import Start
from modhost.web.middleware.request_ids import RequestIdMiddleware
from modhost.web.problems import HttpProblem

RETRY_SECONDS: Final = 5


class StartGate:
    """Lets nothing through to the application until the host has started."""

    def __init__(self, app: ASGIApp, start: Start) -> None:
        self._app = app
        self._answered = RequestIdMiddleware(self._answer)
        self._start = start
        self.is_open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if self.is_open or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._answered(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer_to(scope["path"])(scope, receive, send)

    def _answer_to(self, path: str) -> Response:
        if path.endswith("/health/live"):
            return JSONResponse(Liveness().model_dump())
        detail = f"The host is starting: {self._start.step}."
        if path.endswith("/health/ready"):
            part = PartHealth(status="unhealthy", detail=detail)
            found = Readiness(status="unhealthy", parts={"host": part})
            return JSONResponse(found.model_dump(), 503)
        return HttpProblem(503, detail, headers={"Retry-After": str(RETRY_SECONDS)}).response()
