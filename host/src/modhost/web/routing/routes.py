"""Routes: from the declarations of all modules to requests that are answered."""

import inspect
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Receive, Scope, Send

from modhost.calls.returned import awaited
from modhost.failures import own_cancellation
from modhost.web.access.authorization import authorize, is_allowed, rechecked
from modhost.web.access.context import close_failed, context_of
from modhost.web.binding.body import limited
from modhost.web.binding.parameters import Source
from modhost.web.middleware.request_ids import note_route
from modhost.web.problems import HttpProblem
from modhost.web.rendering.forms import SentForm
from modhost.web.rendering.shell import Page, Shell
from modhost.web.routing.declarations import Declaration
from modhost.web.routing.module_web import ModuleWeb
from modhost.web.routing.settings import ErrorMap
from modhost.web.routing.specificity import specificity
from modhost.web.routing.static_files import VERSIONED, ModuleFiles
from modhost.web.routing.streams import send_closing

KIND: Final = "modhost.kind"
"""Where the scope of a request holds whether an endpoint or a page answers it."""

# A form is shown again; with any other status there is nothing to correct.
_REFUSED: Final = (403, 409, 422)


def build_routes(
    modules: Sequence[ModuleWeb], shell: Shell, asset_version: str = ""
) -> list[BaseRoute]:
    """Return the routes of all modules, the most literal paths first, then their static files."""
    paths: dict[str, list[_Handling]] = {}
    for module in modules:
        for declarations in (module.endpoints, module.pages):
            for declared in declarations.declared:
                errors = {**declarations.mapped_errors, **declared.errors}
                paths.setdefault(declared.path, []).append(_Handling(declared, errors, shell))
    pages = [each for handlings in paths.values() for each in handlings if each.shows_page]
    for handlings in paths.values():
        for each in handlings:
            each.find_form(pages)
    return [
        *(_PathRoute(path, paths[path]) for path in sorted(paths, key=specificity)),
        *(
            Mount(f"{place}/{module.name}", files)
            for module in modules
            if (folder := module.folder("static")) is not None
            for files in [ModuleFiles(f"/static/{module.name}", folder, asset_version)]
            for place in ("/static", VERSIONED)
        ),
    ]


class _Handling:
    """Answers requests as one declaration says."""

    def __init__(self, declared: Declaration, errors: ErrorMap, shell: Shell) -> None:
        self.declared = declared
        self._errors = errors
        self._mapped = tuple(errors)
        self._shell = shell
        self._runs_in_thread = not inspect.iscoroutinefunction(declared.handler)
        self._form: _Handling | None = None
        """What shows the form that this takes."""

    @property
    def shows_page(self) -> bool:
        """Whether it shows a page."""
        return self.declared.kind == "page" and self.declared.method == "GET"

    def find_form(self, pages: "Sequence[_Handling]") -> None:
        """Find the page that has the form which this takes, if it takes one.

        Raises `ValueError` for one that is not mapped.
        """
        declared = self.declared
        if declared.kind != "page" or declared.method != "POST":
            return
        for each in pages:
            is_at_path = declared.shown_by is None and each.declared.path == declared.path
            if is_at_path or each.declared.handler == declared.shown_by:
                self._form = each
        if self._form is None and declared.shown_by is not None:
            msg = f"The page that shows the form of {declared.path} is not mapped: map "
            raise ValueError(f"{msg}{declared.shown_by.__qualname__} to GET.")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        declared = self.declared
        checked = rechecked(scope, receive, declared.permission, declared.path)
        request = Request(scope, limited(scope, checked, declared.body_limit), send)
        try:
            response = await self._answer(request)
        finally:
            await request.close()
        is_streaming = isinstance(response, StreamingResponse | FileResponse)
        context = context_of(request)
        if context is not None and not is_streaming and response.background is None:
            # What the services do at the end of a scope is done before the caller hears of it.
            await context.close()
        await send_closing(response, scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        declared = self.declared
        await authorize(request, declared.permission, declared.path)
        try:
            result = await self._call(request)
        except HttpProblem as problem:
            await close_failed(request, problem)
            if declared.is_search and problem.status == 422 and problem.errors:
                return await self.show_again(*_without_invalid(request, problem))
            is_again = problem.status in _REFUSED and await is_allowed(request, declared.permission)
            if self._form is None or not is_again:
                raise
            form = SentForm(request.scope["path"].rstrip("/"), await self._typed(request), problem)
            return await self._form.show_again(request, form, problem)
        if declared.kind == "endpoint":
            return declared.result.response(result, declared.status)
        if isinstance(result, Page):
            return await self._shell.render(request, declared.module, result)
        if isinstance(result, Response):
            return result
        msg = f"The page handler {declared.handler_name} returned {result!r}, "
        msg += "which is neither a Page nor a Response."
        raise TypeError(msg)

    async def _call(self, request: Request) -> object:
        """Call the handler. Raises `HttpProblem` for the errors that have a status."""
        arguments = await self.declared.binding.arguments(request)
        try:
            return await self._run(request, arguments)
        except (*self._mapped, ExceptionGroup) as error:
            only = _only(error)
            mro = type(only).__mro__
            status = next((self._errors[kind] for kind in mro if kind in self._errors), None)
            if status is not None:
                raise HttpProblem(status, str(only)) from error
            if isinstance(only, HttpProblem):
                raise only from None
            raise

    async def _run(self, request: Request, arguments: dict[str, object]) -> Any:
        try:
            if self._runs_in_thread:
                call = partial(self.declared.handler, **arguments)
                return await awaited(await anyio.to_thread.run_sync(call))
            with own_cancellation():
                return await awaited(await self.declared.handler(**arguments))
        except BaseException as error:
            # Here, since services know their own errors, and not the problem that one becomes.
            await close_failed(request, error)
            raise

    async def show_again(self, request: Request, form: SentForm, problem: HttpProblem) -> Response:
        """Show the page of a form that was refused.

        Raises the problem if that has no page, or one that the caller may not see.
        """
        if not await is_allowed(request, self.declared.permission):
            raise problem
        page = await self._call(request)
        if not isinstance(page, Page):
            raise problem
        page = replace(page, status=problem.status, headers={**page.headers, **problem.headers})
        return await self._shell.render(request, self.declared.module, page, form)

    async def _typed(self, request: Request) -> dict[str, list[str]]:
        """Return what was typed into the fields that are not secret."""
        fields = self.declared.binding.of(Source.FORM)
        if not fields:
            return {}
        secret = {name for each in fields for name in each.secret}
        typed: dict[str, list[str]] = {}
        for name, value in (await request.form()).multi_items():
            if isinstance(value, str) and name not in secret:
                typed.setdefault(name, []).append(value)
        return typed


def _without_invalid(
    request: Request, problem: HttpProblem
) -> tuple[Request, SentForm, HttpProblem]:
    """Return a request without the values of its query that are not valid, and all that it had."""
    sent = request.query_params.multi_items()
    typed: dict[str, list[str]] = {}
    for name, value in sent:
        typed.setdefault(name, []).append(value)
    wrong = {each.field.partition(".")[0] for each in problem.errors}
    rest = urlencode([each for each in sent if each[0] not in wrong])
    again = Request({**request.scope, "query_string": rest.encode()}, request.receive)
    return again, SentForm(request.scope["path"].rstrip("/"), typed, problem), problem


def _only(error: Exception) -> Exception:
    """Return the one error of a group, as a task group raises it; any other as it is."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


class _PathRoute(Route):
    """All methods of one path, which answers with and without a trailing slash."""

    def __init__(self, path: str, handlings: Sequence[_Handling]) -> None:
        super().__init__(path, handlings[0], name=path)
        self._handlings = {each.declared.method: each for each in handlings}
        if "GET" in self._handlings:
            self._handlings.setdefault("HEAD", self._handlings["GET"])
        self._kind = handlings[0].declared.kind

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path, whatever the method: one that is not served is a 405."""
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope = {**scope, "path": path[:-1]}
        return super().matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the method of the request. Raises `HttpProblem` 405."""
        scope[KIND] = self._kind
        note_route(scope, self.path)
        handling = self._handlings.get(scope["method"])
        if handling is None:
            allowed = ", ".join(sorted(self._handlings))
            detail = f"This address does not answer to {scope['method']}, only to {allowed}."
            raise HttpProblem(405, detail, headers={"Allow": allowed})
        await handling(scope, receive, send)
