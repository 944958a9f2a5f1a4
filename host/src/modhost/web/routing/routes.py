"""Whether the caller may use an endpoint or a page."""

import re
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

from modhost.permissions import Anyone, Permission
from modhost.web.errors import mark
from modhost.web.middleware.context import context_of, current_principal
from modhost.web.middleware.request_body import limited
from modhost.web.middleware.security import SAFE_METHODS
from modhost.web.problems import HttpProblem, unauthenticated
from modhost.web.rendering.shell import Shell
from modhost.web.rendering.static_files import static_routes
from modhost.web.routing.declarations import Declaration, ErrorMap
from modhost.web.routing.modules import ModuleWeb
from modhost.web.routing.pages import Page


async def authorize(
    request: Request, permission: Permission | Anyone | None, route: str = ""
) -> None:
    """Let the caller pass, or raise the `HttpProblem` 401 or 403; no permission lets nobody in.

    A request that would change something is noted when it is refused to somebody who is known.
    """
    if isinstance(permission, Anyone):
        return
    principal = await current_principal(request)
    if principal is None:
        raise unauthenticated()
    if permission is None:
        raise HttpProblem(403, "This address is open to nobody.")
    if not principal.may(permission):
        detail = f"This needs the permission {permission.name} ({permission.label})."
        context = context_of(request)
        if context is not None and request.method not in SAFE_METHODS:
            await context.note_refusal(principal, f"{request.method} {route}", detail)
        raise HttpProblem(403, detail)


_PARAMETER: Final = re.compile(r"{[^}]*}")


def build_routes(modules: Sequence[ModuleWeb], shell: Shell) -> list[BaseRoute]:
    """Return the routes of all modules, static files included, the most literal paths first."""
    paths: dict[str, list[Served]] = {}
    for module in modules:
        for declarations in (module.endpoints, module.pages):
            for declared in declarations.declared:
                errors = {**declarations.mapped_errors, **declared.errors}
                paths.setdefault(declared.path, []).append(Served(declared, errors, shell))
    routes = [PathRoute(path, paths[path]) for path in sorted(paths, key=specificity)]
    return [*routes, *static_routes(modules)]


def specificity(path: str) -> list[tuple[int, int]]:
    """Return a sort key by which literal segments go before mixed ones, and those before `{id}`."""
    return [_segment_rank(segment) for segment in path.split("/")]


def _segment_rank(segment: str) -> tuple[int, int]:
    literal = _PARAMETER.sub("", segment)
    if literal == segment:
        return (0, 0)
    if ":path}" in segment:
        return (3, -len(literal))
    return (1 if literal else 2, -len(literal))


class Served:
    """One declaration, ready to answer."""

    def __init__(self, declared: Declaration, errors: ErrorMap, shell: Shell) -> None:
        self.declared = declared
        self._errors = errors
        self._mapped = tuple(errors)
        self._shell = shell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        request = Request(scope, limited(scope, receive, self.declared.body_limit), send)
        try:
            response = await self._answer(request)
        finally:
            await request.close()
        context = context_of(request)
        if context is not None and _is_complete(response):
            # What the services do at the end of a scope is done before the caller hears of it.
            await context.close()
        await response(scope, request.receive, send)

    async def _answer(self, request: Request) -> Response:
        await authorize(request, self.declared.permission, self.declared.path)
        arguments = await self.declared.binding.arguments(request)
        try:
            result = await self.declared.handler(**arguments)
        except self._mapped as error:
            raise HttpProblem(self._status_of(error), str(error)) from error
        return await self._response(request, result)

    def _status_of(self, error: Exception) -> int:
        return next(self._errors[kind] for kind in type(error).__mro__ if kind in self._errors)

    async def _response(self, request: Request, result: object) -> Response:
        declared = self.declared
        if declared.kind == "endpoint":
            return declared.result.response(result, declared.status)
        if isinstance(result, Page):
            return await self._shell.render(request, declared.module, result)
        if isinstance(result, Response):
            return result
        msg = f"The page handler {declared.handler_name} returned {result!r}, "
        msg += "which is neither a Page nor a Response."
        raise TypeError(msg)


def _is_complete(response: Response) -> bool:
    is_streaming = isinstance(response, StreamingResponse | FileResponse)
    return not is_streaming and response.background is None


class PathRoute(Route):
    """All methods of one path, which answers with and without a trailing slash."""

    def __init__(self, path: str, served: Sequence[Served]) -> None:
        super().__init__(path, _Dispatcher(served), name=path)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match the path, whatever the method: one that is not served is a 405."""
        path = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            scope = {**scope, "path": path[:-1]}
        return super().matches(scope)


class _Dispatcher:
    """Chooses by method."""

    def __init__(self, served: Sequence[Served]) -> None:
        self._served = {each.declared.method: each for each in served}
        if "GET" in self._served:
            self._served.setdefault("HEAD", self._served["GET"])
        self._kind = served[0].declared.kind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mark(scope, self._kind)
        served = self._served.get(scope["method"])
        if served is None:
            allowed = ", ".join(sorted(self._served))
            detail = f"This address does not answer to {scope['method']}, only to {allowed}."
            raise HttpProblem(405, detail, headers={"Allow": allowed})
        await served(scope, receive, send)
