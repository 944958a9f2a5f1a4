"""Whether a job gets its data back as they were given."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from modhost_background_jobs.model.data.declared_kinds import has_unions
from modhost_background_jobs.model.data.differences import (
    Place,
    difference,
    is_list,
    is_model,
    json_key,
    named,
)

_PLAIN: Final = (str, int, float, bool, type(None), datetime, date, timedelta, UUID, Decimal)


def read_as(model: Any, text: str) -> Any:
    """Return the JSON as a type, its fields by their aliases or by their names.

    Raises `ValidationError`.
    """
    return adapter_of(model).validate_json(text, by_alias=True, by_name=True)


def adapter_of(model: Any) -> TypeAdapter[Any]:
    """Return what reads and writes a type, made once."""
    try:
        return _adapter(model)
    except TypeError:  # not hashable
        return TypeAdapter(model)


def problems_in(error: ValidationError, what: str) -> str:
    """Return what does not fit in one line, without the input, which may be secret."""
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or what}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)
    )


def loss_in(data: Any, text: str) -> str | None:
    """Return what a job would read otherwise than it was given; None for nothing.

    Models and dataclasses, also those within lists and tables, are read as their own type.

    Args:
        data: what was given.
        text: the JSON that the job is to get.

    """
    if is_model(data):
        return _loss_in_model(data, text, ())
    return _loss_within(data, json.loads(text), ()) if _is_more_than_json(data) else None


def _loss_within(value: Any, written: Any, place: Place) -> str | None:
    if is_model(value):
        return _loss_in_model(value, json.dumps(written), place)
    if isinstance(value, Mapping):
        keys = {json_key(key): below for key, below in value.items()}
        if len(keys) != len(value):
            return f"{named(place)} has two keys that are the same in JSON"
        pairs: Any = [(name, below, written[name]) for name, below in keys.items()]
    elif is_list(value):
        pairs = [(at, *both) for at, both in enumerate(zip(value, written, strict=True))]
    else:
        return None
    found = (_loss_within(below, other, (*place, step)) for step, below, other in pairs)
    return next(filter(None, found), None)


def _is_more_than_json(value: Any) -> bool:
    if isinstance(value, Mapping):
        keys_differ = any(type(key) is not str for key in value)
        return keys_differ or any(map(_is_more_than_json, value.values()))
    return is_model(value) or (is_list(value) and any(map(_is_more_than_json, value)))


def _loss_in_model(data: Any, text: str, place: Place) -> str | None:
    try:
        back = read_as(type(data), text)
    except ValidationError as error:
        # Without the input, which may be secret.
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return "; ".join(
            f"{named((*place, *each['loc']))} cannot be read ({each['msg']})" for each in found
        )
    except PydanticUserError:  # a dataclass of types that nobody can read
        return None
    kind: Any = type(data)
    if back == data and not has_unions(kind):
        return None
    return difference(data, back, place, kind)


@lru_cache(maxsize=1024)
def is_plain(kind: type) -> bool:
    """Return whether values of a type are without secrets: a model of nothing but plain fields."""
    if not issubclass(kind, BaseModel):
        return issubclass(kind, _PLAIN)
    fields = kind.model_fields.values()
    is_closed = kind.model_config.get("extra") != "allow"
    return is_closed and all(
        _is_plain_type(each.annotation) and each.json_schema_extra is None for each in fields
    )


def _is_plain_type(annotation: Any) -> bool:
    if isinstance(annotation, type) and annotation in _PLAIN:
        return True
    is_container = get_origin(annotation) in (list, tuple, set, dict, Union, UnionType, Literal)
    inner = [each for each in get_args(annotation) if each is not ...]
    is_literal = get_origin(annotation) is Literal
    return is_container and (is_literal or all(map(_is_plain_type, inner)))


@lru_cache(maxsize=1024)
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)
