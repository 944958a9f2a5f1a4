"""Routes: from the declarations of all modules to requests that are answered."""

import inspect
import re
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from modhost.returned import awaited
from modhost.web.access.authorization import authorize
from modhost.web.access.context import context_of
from modhost.web.binding.body import limited
from modhost.web.problems import HttpProblem
from modhost.web.rendering.shell import Page, Shell
from modhost.web.routing.declarations import Declaration, ErrorMap
from modhost.web.routing.module_web import ModuleWeb

KIND: Final = "modhost.kind"
"""Where the scope of a request holds whether an endpoint or a page answers it."""

_PARAMETER: Final = re.compile(r"{[^}]*}")


def build_routes(modules: Sequence[ModuleWeb], shell: Shell) -> list[BaseRoute]:
    """Return the routes of all modules, the most literal paths first, then their static files."""
    paths: dict[str, list[_Handling]] = {}
    for module in modules:
        for declarations in (module.endpoints, module.pages):
            for declared in declarations.declared:
                errors = {**declarations.mapped_errors, **declared.errors}
                paths.setdefault(declared.path, []).append(_Handling(declared, errors, shell))
    return [
        *(_PathRoute(path, paths[path]) for path in sorted(paths, key=specificity)),
        *(
            Mount(f"/static/{module.name}", _StaticFiles(directory=folder))
            for module in modules
            if (folder := module.folder("static")) is not None
        ),
    ]


def specificity(path: str) -> list[tuple[int, int]]:
    """Return a sort key: literal segments go before mixed ones, and those before `{id}`."""
    return [_segment_rank(segment) for segment in path.split("/")]


def _segment_rank(segment: str) -> tuple[int, int]:
    literal = _PARAMETER.sub("", segment)
    if literal == segment:
        return (0, 0)
    if ":path}" in segment:
        return (3, -len(literal))
    return (1 if literal else 2, -len(literal))


class _Handling:
    """Answers requests as one declaration says."""

    def __init__(self, declared: Declaration, errors: ErrorMap, shell: Shell) -> None:
        self.declared = declared
        self._errors = errors
        self._mapped = tuple(errors)
        self._shell = shell
        self._runs_in_thread = not inspect.iscoroutinefunction(declared.handler)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        request = Request(scope, limited(scope, receive, self.declared.body_limit), send)
        try:
            response = await self._answer(request)
        finally:
            await request.close()
        is_streaming = isinstance(response, StreamingResponse | FileResponse)
        context = context_of(request)
        if context is not None and not is_streaming and response.background is None:
            # What the services do at the end of a scope is done before the caller hears of it.
            await context.close()
        await response(scope, request.receive, send)

    async def _answer(self, request: Request) -> Response:
        declared = self.declared
        await authorize(request, declared.permission, declared.path)
        arguments = await declared.binding.arguments(request)
        try:
            result = await self._call(**arguments)
        except self._mapped as error:
            mro = type(error).__mro__
            status = next(self._errors[kind] for kind in mro if kind in self._errors)
            raise HttpProblem(status, str(error)) from error
        if declared.kind == "endpoint":
            return declared.result.response(result, declared.status)
        if isinstance(result, Page):
            return await self._shell.render(request, declared.module, result)
        if isinstance(result, Response):
            return result
        msg = f"The page handler {declared.handler_name} returned {result!r}, "
        msg += "which is neither a Page nor a Response."
        raise TypeError(msg)

    async def _call(self, **arguments: object) -> Any:
        if self._runs_in_thread:
            call = partial(self.declared.handler, **arguments)
            return await awaited(await anyio.to_thread.run_sync(call))
        return await awaited(await self.declared.handler(**arguments))


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
        handling = self._handlings.get(scope["method"])
        if handling is None:
            allowed = ", ".join(sorted(self._handlings))
            detail = f"This address does not answer to {scope['method']}, only to {allowed}."
            raise HttpProblem(405, detail, headers={"Allow": allowed})
        await handling(scope, receive, send)


class _StaticFiles(StaticFiles):
    """Lets browsers keep the files, and ask each time whether they are still the same."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "no-cache"
        return response
