"""Injection: a handler's parameters, planned once at start, resolved for each request."""

import inspect
import types
import typing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Literal, TypeAlias, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from starlette.requests import Request

from modhost import Principal
from modhost.calls.returned import function_of
from modhost.configuration.option_types import names_of
from modhost.configuration.redaction import is_secret_name, is_secret_option
from modhost.services import Dependency, dependency
from modhost.web.access.context import current_principal, request_scope
from modhost.web.binding.body import FlatModel, read_json
from modhost.web.binding.strictness import oddity
from modhost.web.problems import HttpProblem, unauthenticated

T = TypeVar("T")
Handler: TypeAlias = Callable[..., Any]


class Source(Enum):
    """Where an argument comes from; in the order in which they are resolved."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    REQUEST = "request"
    PRINCIPAL = "principal"
    FORM = "form"
    BODY = "body"
    SERVICE = "service"


Query: TypeAlias = Annotated[T, Source.QUERY]
Header: TypeAlias = Annotated[T, Source.HEADER]
Body: TypeAlias = Annotated[T, Source.BODY]
Form: TypeAlias = Annotated[T, Source.FORM]


class UnusableType(Exception):
    """An annotation that cannot be read, validated, serialised or documented."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a handler: how to resolve it, and what documents it.

    `secret` names the fields of a form that no page may show again.
    """

    name: str
    source: Source
    resolve: Callable[[Request], Awaitable[Any]]
    adapter: TypeAdapter[Any] | None = None
    optional: bool = False
    needs: Dependency | None = None
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Binding:
    """The plan for all parameters of a handler."""

    parameters: tuple[Parameter, ...] = ()

    async def arguments(self, request: Request) -> dict[str, Any]:
        """Resolve all parameters. Raises `HttpProblem` for values that are not valid."""
        found = {each.name: await each.resolve(request) for each in self.parameters}
        # A body that took long has had the caller authenticated anew.
        for each in self.of(Source.PRINCIPAL):
            found[each.name] = await each.resolve(request)
        return found

    def of(self, source: Source) -> list[Parameter]:
        """Return the parameters that come from one source."""
        return [each for each in self.parameters if each.source is source]


def bind(handler: Handler, path_names: tuple[str, ...]) -> Binding:
    """Plan the parameters of a handler. Raises `UnusableType` with a sentence."""
    if inspect.ismethod(handler):
        return _bound(handler.__func__, path_names, is_method=True)
    return _bound(handler, path_names, is_method=False)


# A process that builds several hosts, as tests do, plans each handler once, and keeps no object.
@lru_cache(maxsize=1024)
def _bound(handler: Handler, path_names: tuple[str, ...], *, is_method: bool) -> Binding:
    hints = hints_of(handler)
    planned = []
    for parameter in [*inspect.signature(handler).parameters.values()][is_method:]:
        if parameter.name not in hints:
            name = function_of(handler).__qualname__
            raise UnusableType(f"parameter {parameter.name!r} of {name} has no annotation.")
        is_in_path = parameter.name in path_names
        planned.append(_plan(parameter, hints[parameter.name], is_in_path=is_in_path))
    order = list(Source)
    return Binding(tuple(sorted(planned, key=lambda each: order.index(each.source))))


def hints_of(handler: Handler) -> dict[str, Any]:
    """Return a handler's annotations. Raises `UnusableType` when one cannot be resolved."""
    try:
        return typing.get_type_hints(function_of(handler), include_extras=True)
    except NameError as error:
        msg = f"the annotations of {function_of(handler).__qualname__} cannot be resolved: {error}."
        raise UnusableType(msg) from error


def adapter_for(
    annotation: object, mode: Literal["validation", "serialization"]
) -> TypeAdapter[Any]:
    """Return the adapter of a type that has a JSON schema. Raises `UnusableType`."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", annotation))
        adapter.json_schema(mode=mode)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        msg = f"pydantic cannot use {annotation}: {str(error).splitlines()[0]}"
        raise UnusableType(msg) from error
    return adapter


def union_members(annotation: object) -> tuple[object, ...] | None:
    """Return the members of a union, None for any other annotation."""
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return typing.get_args(annotation) if is_union else None


def _plan(parameter: inspect.Parameter, annotation: object, *, is_in_path: bool) -> Parameter:
    name = parameter.name
    if is_in_path:
        return _from_path(name, annotation)
    marks = getattr(annotation, "__metadata__", ())
    source = next((mark for mark in marks if isinstance(mark, Source)), None)
    if source in (Source.QUERY, Source.HEADER, Source.FORM):
        return _from_fields(name, annotation, source)
    if source is Source.BODY:
        return _from_body(name, annotation, parameter.default)
    if annotation is Request:
        return Parameter(name, Source.REQUEST, _request)
    if annotation is Principal:
        return Parameter(name, Source.PRINCIPAL, _required_principal)
    if set(union_members(annotation) or ()) == {Principal, type(None)}:
        return Parameter(name, Source.PRINCIPAL, current_principal)
    return _from_services(name, annotation)


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
    readers = {Source.QUERY: flat.read_query, Source.HEADER: flat.read_headers}
    resolve = readers.get(source, flat.read_form)
    # A field is typed under its alias, which need not sound like a secret.
    secret = frozenset(
        sent
        for own in model.model_fields
        for sent in (own, *names_of(model, own))
        if is_secret_name(own) or is_secret_option((sent,), model)
    )
    return Parameter(name, source, resolve, adapter_for(model, "validation"), secret=secret)


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


async def _required_principal(request: Request) -> Principal:
    principal = await current_principal(request)
    if principal is None:
        raise unauthenticated()
    return principal
