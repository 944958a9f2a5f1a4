"""Errors as responses: problem details for programs, a page for people."""

import logging
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from modhost import new_id
from modhost.configuration.redaction import HIDDEN, is_secret_name
from modhost.database.failures import may_pass
from modhost.failures import failures
from modhost.telemetry import ErrorReports
from modhost.web.access.context import close_failed
from modhost.web.middleware.request_ids import request_log
from modhost.web.problems import HttpProblem, from_http_exception
from modhost.web.rendering.shell import Page, Shell
from modhost.web.rendering.templates import HOST
from modhost.web.routing.module_web import ModuleWeb
from modhost.web.routing.routes import KIND

_TITLES: Final = {
    400: "This request cannot be read",
    403: "You do not have access",
    404: "This page does not exist",
    405: "This page cannot do that",
    409: "This cannot be done now",
    413: "This is too large",
    422: "Some values cannot be used",
    500: "Something went wrong here",
    503: "This page cannot be shown now",
}
RETRY_SECONDS: Final = 5
_DATABASE_AWAY: Final = "The database does not work at present; try again in a few seconds."
_log: Final = logging.getLogger("modhost.web")


class ErrorResponder:
    """Answers an exception with its problem."""

    def __init__(self, modules: Sequence[ModuleWeb], shell: Shell, reports: ErrorReports) -> None:
        self._shell = shell
        self._reports = reports
        prefixes = {module.endpoints.prefix for module in modules}
        self._api_prefixes = tuple(f"{prefix}/" for prefix in {*prefixes, "/api"} if prefix)

    async def respond(self, request: Request, error: Exception) -> Response:
        """Return the response to an exception; an unexpected one is logged and reported."""
        await close_failed(request, error)
        problem = self._problem_of(request, error)
        if not self._wants_page(request):
            return problem.response()
        if problem.status == 401:
            return RedirectResponse(_login_path(request), 303)
        title = _TITLES.get(problem.status, problem.title)
        # An address that has a secret is not shown again.
        has_secret = _shown_path(request.scope) != request.scope["path"]
        context = {"problem": problem, "retry": "" if has_secret else _path_of(request)}
        page = Page("modhost/error.html", context, title, problem.status, problem.headers)
        return await self._shell.render(request, HOST, page)

    def _problem_of(self, request: Request, error: Exception) -> HttpProblem:
        if isinstance(error, HttpProblem):
            return error
        if isinstance(error, HTTPException):
            return from_http_exception(error)
        if may_pass(error):
            failures.failed(_log, "A request", error)
            return HttpProblem(503, _DATABASE_AWAY, headers={"Retry-After": str(RETRY_SECONDS)})
        log = request_log(request.scope)
        if log is not None:
            self._reports.report(error, log.origin)
        reference = log.request_id if log else new_id()
        message = "%s %r failed; the caller was shown the reference %s."
        _log.error(message, request.method, _shown_path(request.scope), reference, exc_info=error)
        return HttpProblem(500, f"The server failed; its log says why, under {reference}.")

    def _wants_page(self, request: Request) -> bool:
        if KIND in request.scope:
            return bool(request.scope[KIND] == "page")
        is_api = f"{request.url.path}/".startswith(self._api_prefixes)
        return not is_api and "text/html" in request.headers.get("accept", "")


class ErrorMiddleware:
    """Answers exceptions that nothing within has handled, unless the response has begun."""

    def __init__(self, app: ASGIApp, responder: ErrorResponder) -> None:
        self._app = app
        self._responder = responder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with a problem if nothing else does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def observed_send(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, observed_send)
        except ClientDisconnect as error:
            await close_failed(Request(scope), error)
            _log.debug("The client of %s %r is gone.", scope["method"], _shown_path(scope))
        except Exception as error:
            if has_begun:
                raise
            response = await self._responder.respond(Request(scope, receive), error)
            await response(scope, receive, send)


def _shown_path(scope: Scope) -> str:
    """Return the path for the log, with parameters that are secrets, as in links, masked."""
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        if is_secret_name(name):
            path = path.replace(str(value), HIDDEN)
    return path


def _login_path(request: Request) -> str:
    path = _path_of(request)
    return f"/login?next={quote(path, safe='/')}" if path else "/login"


def _path_of(request: Request) -> str:
    """Return the address of a page; empty where going there again would do something."""
    if request.method not in ("GET", "HEAD"):
        return ""
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query
