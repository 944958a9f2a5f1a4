"""A span for each request, by OpenTelemetry's conventions for HTTP servers."""

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost.telemetry import current_tracer
from modhost.web.middleware.request_ids import UNKNOWN, request_log

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


class TracingMiddleware:
    """Traces requests where an SDK is set up, unless that has a span for them already.

    Paths are left out: they may hold secrets, such as links that log somebody in.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, within a span."""
        tracer = current_tracer() if scope["type"] == "http" else None
        if tracer is None:
            await self._app(scope, receive, send)
        else:
            await self._traced(tracer, scope, receive, send)

    async def _traced(self, tracer: "Tracer", scope: Scope, receive: Receive, send: Send) -> None:
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, StatusCode, get_current_span

        if get_current_span().get_span_context().is_valid:
            await self._app(scope, receive, send)
            return
        sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        log = request_log(scope)
        with tracer.start_as_current_span(
            scope["method"],
            context=extract(sent),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": scope["method"],
                "url.scheme": scope["scheme"],
                **(log.log_fields() if log else {}),
            },
            record_exception=False,
        ) as span:

            async def noting_send(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.set_attribute("http.response.status_code", status)
                    if status >= 500:
                        span.set_status(StatusCode.ERROR)
                        span.set_attribute("error.type", str(status))
                await send(message)

            try:
                await self._app(scope, receive, noting_send)
            finally:
                if log is not None and log.route != UNKNOWN:
                    span.update_name(f"{scope['method']} {log.route}")
                    span.set_attribute("http.route", log.route)
