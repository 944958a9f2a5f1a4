"""Reading values from a request: query string, JSON body, form."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request

from modhost.web.binding.strictness import field_key, refuse_odd
from modhost.web.middleware.request_body import DEFAULT_BODY_LIMIT, limited
from modhost.web.problems import HttpProblem, from_validation

T = TypeVar("T")

FORM_MEDIA_TYPES: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
_MANY: Final = (list, tuple, set, frozenset)


def media_type(request: Request) -> str:
    """Return the body's media type in lower case and without parameters; may be empty."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(
    request: Request, model: type[T] | TypeAdapter[T], limit: int | None = DEFAULT_BODY_LIMIT
) -> T:
    """Return the JSON body, validated.

    A number is a number here, and no text that looks like one. The limit is for JSON beside other
    bodies that may be larger, since JSON is held in memory; None leaves the one of the endpoint.

    Raises `HttpProblem`: 415 for another media type, 400 for malformed JSON, 413 for a body over
    the limit, 422 with the fields that do not fit.
    """
    found = media_type(request)
    if found != "application/json" and not found.endswith("+json"):
        given = f"not {found}" if found else "and say so in Content-Type"
        raise HttpProblem(415, f"Send the body as application/json, {given}.")
    adapter = model if isinstance(model, TypeAdapter) else TypeAdapter(model)
    body = await _body(request, limit)
    try:
        read = adapter.validate_json(body, strict=True)
    except ValidationError as error:
        raise from_validation(error, "body") from None
    refuse_odd(from_json(body), read, "body")
    return read


async def _body(request: Request, limit: int | None) -> bytes:
    if limit is not None:
        request = Request(request.scope, limited(request.scope, request.receive, limit))
    return await request.body()


class FlatModel:
    """Reads a model from names with string values, as query strings and forms carry them.

    Unknown names are ignored. An empty value counts as not given, as browsers send fields that
    nobody filled in. A field that is a list takes all values of its name, any other the last.
    """

    def __init__(self, model: type[BaseModel], source: str) -> None:
        self._model = model
        self._source = source
        self._names = {
            field_key(name, field.validation_alias): get_origin(field.annotation) in _MANY
            for name, field in model.model_fields.items()
        }

    def read(self, values: ImmutableMultiDict[str, Any]) -> BaseModel:
        """Return the validated model. Raises `HttpProblem` 422 with the fields that do not fit."""
        picked = self._pick(values)
        try:
            read = self._model.model_validate(picked)
        except ValidationError as error:
            raise from_validation(error, self._source) from None
        refuse_odd(picked, read, self._source)
        return read

    def _pick(self, values: ImmutableMultiDict[str, Any]) -> Mapping[str, Any]:
        picked: dict[str, Any] = {}
        for name, many in self._names.items():
            given = [value for value in values.getlist(name) if value != ""]
            if given:
                picked[name] = given if many else given[-1]
        return picked


async def read_form(request: Request, model: FlatModel) -> BaseModel:
    """Return the form that the body holds, validated.

    Raises `HttpProblem`: 415 for another media type, 400 for a malformed form, 413 for a body over
    the limit, 422 with the fields that do not fit.
    """
    if media_type(request) not in FORM_MEDIA_TYPES:
        raise HttpProblem(415, f"Send the body as {' or '.join(FORM_MEDIA_TYPES)}.")
    return model.read(await request.form())
