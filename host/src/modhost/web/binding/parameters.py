"""Injection: a handler's parameters, planned once at start, resolved for each request."""

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.requests import Request

from modhost.permissions import Principal
from modhost.services import Dependency, dependency
from modhost.web.binding.adapters import UnusableType, adapter_for
from modhost.web.binding.reading import FlatModel, read_form, read_json
from modhost.web.binding.strictness import oddity
from modhost.web.middleware.context import current_principal, request_scope
from modhost.web.problems import HttpProblem, unauthenticated

T = TypeVar("T")
Handler: TypeAlias = Callable[..., Awaitable[Any]]
Resolve: TypeAlias = Callable[[Request], Awaitable[Any]]


class Source(Enum):
    """Where an argument comes from; in the order in which they are resolved."""

    PATH = "path"
    QUERY = "query"
    REQUEST = "request"
    PRINCIPAL = "principal"
    FORM = "form"
    BODY = "body"
    SERVICE = "service"


Query: TypeAlias = Annotated[T, Source.QUERY]
Body: TypeAlias = Annotated[T, Source.BODY]
Form: TypeAlias = Annotated[T, Source.FORM]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a handler: how to resolve it, and what documents it."""

    name: str
    source: Source
    resolve: Resolve
    adapter: TypeAdapter[Any] | None = None
    optional: bool = False
    needs: Dependency | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """The plan for all parameters of a handler."""

    parameters: tuple[Parameter, ...] = ()

    async def arguments(self, request: Request) -> dict[str, Any]:
        """Resolve all parameters. Raises `HttpProblem` for values that cannot be used."""
        return {each.name: await each.resolve(request) for each in self.parameters}

    def of(self, source: Source) -> list[Parameter]:
        """Return the parameters that come from one source."""
        return [each for each in self.parameters if each.source is source]


# A process that builds several hosts, as tests do, plans each handler once.
@lru_cache(maxsize=1024)
def bind(handler: Handler, path_names: tuple[str, ...]) -> Binding:
    """Plan the parameters of a handler. Raises `UnusableType` with a sentence."""
    hints = hints_of(handler)
    planned = []
    for parameter in inspect.signature(handler).parameters.values():
        if parameter.name not in hints:
            msg = f"parameter {parameter.name!r} of {handler.__qualname__} has no annotation."
            raise UnusableType(msg)
        planned.append(_plan(parameter, hints[parameter.name], path_names))
    order = list(Source)
    return Binding(tuple(sorted(planned, key=lambda each: order.index(each.source))))


def hints_of(handler: Handler) -> dict[str, Any]:
    """Return a handler's annotations. Raises `UnusableType` when one cannot be resolved."""
    try:
        return typing.get_type_hints(handler, include_extras=True)
    except NameError as error:
        msg = f"the annotations of {handler.__qualname__} cannot be resolved: {error}."
        raise UnusableType(msg) from error


def _plan(parameter: inspect.Parameter, annotation: object, path_names: Sequence[str]) -> Parameter:
    name = parameter.name
    if name in path_names:
        return _from_path(name, annotation)
    source = _marked_source(annotation)
    if source in (Source.QUERY, Source.FORM):
        return _from_fields(name, annotation, source)
    if source is Source.BODY:
        return _from_body(name, annotation, parameter.default)
    if annotation is Request:
        return Parameter(name, Source.REQUEST, _request)
    if annotation is Principal:
        return Parameter(name, Source.PRINCIPAL, _caller)
    if _is_optional_principal(annotation):
        return Parameter(name, Source.PRINCIPAL, current_principal)
    return _from_services(name, annotation)


def _marked_source(annotation: object) -> Source | None:
    marks = getattr(annotation, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, Source)), None)


def _from_path(name: str, annotation: object) -> Parameter:
    adapter = adapter_for(annotation, "validation")

    async def resolve(request: Request) -> object:
        text = request.path_params[name]
        # An id that cannot exist is answered like one that does not.
        nothing = HttpProblem(404, f"There is nothing with the {name} {text!r}.")
        try:
            value = adapter.validate_python(text)
        except ValidationError:
            raise nothing from None
        if oddity(text, value):
            raise nothing
        return value

    return Parameter(name, Source.PATH, resolve, adapter)


def _from_fields(name: str, annotation: object, source: Source) -> Parameter:
    model = typing.get_args(annotation)[0]
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        msg = f"parameter {name!r}: {source.name.title()}[…] takes a pydantic model, not {model}."
        raise UnusableType(msg)
    flat = FlatModel(model, source.value)

    async def from_query(request: Request) -> object:
        return flat.read(request.query_params)

    async def from_form(request: Request) -> object:
        return await read_form(request, flat)

    resolve = from_query if source is Source.QUERY else from_form
    return Parameter(name, source, resolve, adapter_for(model, "validation"))


def _from_body(name: str, annotation: object, default: object) -> Parameter:
    adapter = adapter_for(annotation, "validation")
    optional = default is not inspect.Parameter.empty

    async def resolve(request: Request) -> object:
        if optional and not await request.body():
            return default
        return await read_json(request, adapter, limit=None)

    return Parameter(name, Source.BODY, resolve, adapter, optional=optional)


def _from_services(name: str, annotation: object) -> Parameter:
    needs = dependency(name, annotation)

    async def resolve(request: Request) -> object:
        scope = await request_scope(request)
        return scope.all(needs.contract) if needs.many else await scope.get(needs.contract)

    return Parameter(name, Source.SERVICE, resolve, needs=needs)


async def _request(request: Request) -> Request:
    return request


async def _caller(request: Request) -> Principal:
    principal = await current_principal(request)
    if principal is None:
        raise unauthenticated()
    return principal


def _is_optional_principal(annotation: object) -> bool:
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return is_union and set(typing.get_args(annotation)) == {Principal, type(None)}
