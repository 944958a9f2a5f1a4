"""The values of a request: its JSON body, its form, its query string, its headers."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Protocol, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from modhost.configuration.option_types import names_of
from modhost.web.binding.strictness import refuse_odd
from modhost.web.problems import FieldError, HttpProblem, from_validation, invalid_fields

T = TypeVar("T")

DEFAULT_BODY_LIMIT: Final = 1024 * 1024
FORM_MEDIA_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_ONE: Final = (str, bytes, bytearray, Mapping)
"""Collections that a single value stands for."""
_TWICE: Final = "Give it once; it is there more than once, and which one counts is not clear."


def limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Return a `receive` that raises the problem 413 once the body has more than `limit` bytes.

    Starlette's own limit answers in plain text, and replaces a refusal such as 401 by its 413.
    """
    announced = Headers(scope=scope).get("content-length", "")
    too_large = HttpProblem(413, f"The body is larger than the {limit} bytes that are taken here.")
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        if announced.isdecimal() and int(announced) > limit:
            raise too_large
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise too_large
        return message

    return receive_limited


def media_type(request: Request) -> str:
    """Return the body's media type in lower case and without parameters; may be empty."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(
    request: Request, model: type[T] | TypeAdapter[T], limit: int | None = DEFAULT_BODY_LIMIT
) -> T:
    """Return the JSON body, validated strictly: a number must not be sent as text.

    Args:
        request: it must be of an `application/json` or `+json` media type.
        model: what the body holds.
        limit: the largest body in bytes, for JSON beside other bodies that may be larger, since
            JSON is held in memory; None leaves the limit of the endpoint.

    Raises:
        HttpProblem: 415 for another media type, 400 for malformed JSON, 413 for a body over the
            limit, 422 with the fields that are not valid.

    """
    found = media_type(request)
    if found != "application/json" and not found.endswith("+json"):
        given = f"not {found}" if found else "and say so in Content-Type"
        raise HttpProblem(415, f"Send the body as application/json, {given}.")
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    if limit is not None:
        request = Request(request.scope, limited(request.scope, request.receive, limit))
    body = await request.body()
    try:
        read = adapter.validate_json(body, strict=True)
    except ValidationError as error:
        raise from_validation(error, "body") from None
    refuse_odd(parsed_once(body), read, "body")
    return read


def parsed_once(text: str | bytes) -> Any:
    """Return JSON in which no object has a key twice. Raises `HttpProblem` 422 with the key."""
    return json.loads(text, object_pairs_hook=_with_each_key_once)


def _with_each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise invalid_fields([FieldError(name, _TWICE) for name in counts if counts[name] > 1])
    return found


class _Named(Protocol):
    """Values by their names, of which each may have several."""

    def getlist(self, key: Any) -> list[Any]:
        """Return the values of a name."""


class _HeaderFields:
    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def getlist(self, key: str) -> list[str]:
        return self._headers.getlist(header_name(key))


def header_name(field: str) -> str:
    """Return the header that a field of a model is read from."""
    return field.replace("_", "-")


def _header_key(name: str) -> str:
    return header_name(name).lower()


class FlatModel:
    """Reads a model from names with string values, as query strings, headers and forms carry them.

    Unknown names are ignored. An empty value counts as missing: browsers send the fields that
    nobody filled in. A field that may be a list takes all values of its names, any other takes one.
    """

    def __init__(self, model: type[BaseModel], source: str) -> None:
        self._model = model
        self._source = source
        spelt = _header_key if source == "header" else str
        self._fields = [
            ({spelt(each): each for each in names_of(model, name)}, _may_be_list(field.annotation))
            for name, field in model.model_fields.items()
        ]

    def read(self, values: _Named) -> BaseModel:
        """Return the validated model. Raises `HttpProblem` 422 with the fields not valid."""
        picked: dict[str, Any] = {}
        repeated = []
        for names, many in self._fields:
            by_name = [(name, value) for name in names.values() for value in values.getlist(name)]
            given = [(name, value) for name, value in by_name if value != ""]
            if len(by_name) > 1 and not many:
                repeated.append(FieldError(by_name[0][0], _TWICE))
            elif given:
                picked[given[0][0]] = [value for _, value in given] if many else given[0][1]
        if repeated:
            raise invalid_fields(repeated)
        try:
            read = self._model.model_validate(picked)
        except ValidationError as error:
            raise from_validation(error, self._source) from None
        refuse_odd(picked, read, self._source)
        return read

    async def read_query(self, request: Request) -> BaseModel:
        """Return the model of the query string. Raises `HttpProblem` 422."""
        return self.read(request.query_params)

    async def read_headers(self, request: Request) -> BaseModel:
        """Return the model of the headers. Raises `HttpProblem` 422."""
        return self.read(_HeaderFields(request.headers))

    async def read_form(self, request: Request) -> BaseModel:
        """Return the model of the form that the body holds.

        Raises `HttpProblem`: 415 for another media type, 400 for a malformed form, 413 for a body
        over the limit, 422 with the fields that are not valid.
        """
        if media_type(request) not in FORM_MEDIA_TYPES:
            raise HttpProblem(415, f"Send the body as {' or '.join(FORM_MEDIA_TYPES)}.")
        return self.read(await request.form())


def _may_be_list(annotation: object) -> bool:
    """Return whether a type, or one of its alternatives, holds several values."""
    annotation = getattr(annotation, "__value__", annotation)
    kind = get_origin(annotation) or annotation
    if kind in (Union, UnionType):
        return any(map(_may_be_list, get_args(annotation)))
    if kind is Annotated:
        return _may_be_list(get_args(annotation)[0])
    return isinstance(kind, type) and issubclass(kind, Collection) and not issubclass(kind, _ONE)
