"""Declarations: the endpoints and pages that a module maps, as plain objects."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import TypeAdapter
from starlette.routing import compile_path
from typing_extensions import Unpack

from modhost import Permission
from modhost.calls.returned import function_of
from modhost.checks import Finding, rules
from modhost.permissions import Anyone
from modhost.web.binding.body import DEFAULT_BODY_LIMIT
from modhost.web.binding.parameters import Binding, Handler, UnusableType, adapter_for, bind
from modhost.web.binding.results import ResultPlan, plan_result
from modhost.web.routing.settings import (
    EndpointSettings,
    ErrorMap,
    FormSettings,
    ViewSettings,
)

Kind: TypeAlias = Literal["endpoint", "page"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One method of one path.

    Attributes:
        path: the whole path, module prefix included, without a trailing slash.
        permission: None when the module named none, which the checks report.
        errors: the status for each of the module's exceptions.
        body_limit: the largest body in bytes.
        accepts: what the body may be, by media type, when the handler reads it by itself.
        shown_by: the handler of the page that has the form which the handler takes.
        is_search: whether the page has the form that its query comes from.

    """

    kind: Kind
    module: str
    method: str
    path: str
    handler: Handler
    permission: Permission | Anyone | None
    status: int
    errors: ErrorMap
    body_limit: int
    binding: Binding
    result: ResultPlan
    accepts: Mapping[str, TypeAdapter[Any]]
    shown_by: Handler | None = None
    is_search: bool = False

    @property
    def handler_name(self) -> str:
        """The handler as messages name it."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def function(self) -> Handler:
        """The function that the handler is made of."""
        return function_of(self.handler)

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]


class Declarations:
    """Collects what one module serves under one prefix."""

    kind: ClassVar[Kind]

    def __init__(self, module: str, prefix: str) -> None:
        self.module = module
        self.prefix = prefix.rstrip("/")
        self.declared: list[Declaration] = []
        self.findings: list[Finding] = []
        self.mapped_errors: dict[type[Exception], int] = {}

    def map_error(self, error: type[Exception], status: int) -> None:
        """Answer with a status when any of this module's handlers here raises the exception.

        The exception's text becomes the detail of the problem; a handler's own `errors` take
        precedence.
        """
        self.mapped_errors[error] = status

    def _declare(
        self,
        method: str,
        path: str,
        handler: Handler,
        *,
        permission: Permission | Anyone | None = None,
        status: int = 200,
        errors: ErrorMap | None = None,
        body_limit: int = DEFAULT_BODY_LIMIT,
        accepts: Mapping[str, type] | None = None,
        shown_by: Handler | None = None,
        is_search: bool = False,
    ) -> None:
        if not isinstance(path, str) or not path.startswith("/"):
            msg = f"The path {path!r} of module {self.module} must start with '/'."
            raise ValueError(msg)
        path = (self.prefix + path).rstrip("/") or "/"
        if inspect.isgeneratorfunction(handler) or inspect.isasyncgenfunction(handler):
            msg = f"The handler {handler!r} of {method} {path} has a `yield`: it would never run. "
            raise TypeError(f"{msg}Return a StreamingResponse over a generator instead.")
        binding, result = self._plan(method, path, handler)
        self.declared.append(
            Declaration(
                self.kind,
                self.module,
                method,
                path,
                handler,
                permission,
                status,
                dict(errors or {}),
                body_limit,
                binding,
                result,
                {media: adapter_for(kind, "validation") for media, kind in (accepts or {}).items()},
                shown_by,
                is_search,
            )
        )

    def _plan(self, method: str, path: str, handler: Handler) -> tuple[Binding, ResultPlan]:
        try:
            binding = bind(handler, _names_in(path))
            return binding, ResultPlan(None) if self.kind == "page" else plan_result(handler)
        except UnusableType as error:
            detail = f"{method} {path}: {error}"
            remedy = (
                "Annotate parameters with a name of the path, Query[…], Header[…], Body[…], "
                "Form[…], Request, Principal or the contract of a service, and the result with "
                "what is sent."
            )
            finding = Finding(rules.UNANNOTATED_PARAMETER, detail, remedy, self.module)
            self.findings.append(finding)
            return Binding(), ResultPlan(None)


@lru_cache(maxsize=1024)
def _names_in(path: str) -> tuple[str, ...]:
    return tuple(compile_path(path)[2])


class Endpoints(Declarations):
    """Maps a module's API endpoints, under its `route_prefix`.

    A handler is an async function; a plain one runs in a thread. What either returns is awaited if
    it can be. Its parameters are filled in by their declaration:

    - a name of the path, as in `"/{id}"`, converted to its annotation (404 when it is not valid);
    - `Query[Model]` from the query string, `Header[Model]` from headers, `Body[Model]` from the
      JSON body, `Form[Model]` from a form (422 with the fields that are not valid);
    - `Request`, and `Principal` for the caller (401 for an anonymous one);
    - anything else is the contract of a service, resolved from the scope of the request.

    Its result is sent as JSON; a `Reply` adds a status and headers, a Starlette `Response` is sent
    as it is. Its docstring's first line describes it in `/openapi.json`. Every endpoint names the
    `permission` that it requires, or `ANYONE`. Literal paths win over parameters, and each path
    answers with and without a trailing slash.
    """

    kind: ClassVar[Kind] = "endpoint"

    def get(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to GET."""
        self._declare("GET", path, handler, **settings)

    def post(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to POST."""
        self._declare("POST", path, handler, **settings)

    def put(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to PUT."""
        self._declare("PUT", path, handler, **settings)

    def patch(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to PATCH."""
        self._declare("PATCH", path, handler, **settings)

    def delete(self, path: str, handler: Handler, **settings: Unpack[EndpointSettings]) -> None:
        """Map a handler to DELETE."""
        self._declare("DELETE", path, handler, **settings)


class Pages(Declarations):
    """Maps a module's pages, under its `view_prefix`.

    Handlers are injected as those of endpoints are, and return a `Page` or a Starlette `Response`.
    An anonymous visitor is sent to `/login`; other problems are shown as a page.
    """

    kind: ClassVar[Kind] = "page"

    def get(self, path: str, handler: Handler, **settings: Unpack[ViewSettings]) -> None:
        """Map a handler that shows a page."""
        self._declare("GET", path, handler, **settings)

    def post(self, path: str, handler: Handler, **settings: Unpack[FormSettings]) -> None:
        """Map a handler that takes a form and ends with a redirect (303), or with a page.

        Where the form is not valid, or the handler raises an `HttpProblem` 403, 409 or 422, the
        page that has the form is shown again, with what was typed and what is wrong: that of
        `shown_by`, or the one that the same path shows.
        """
        self._declare("POST", path, handler, **settings)
