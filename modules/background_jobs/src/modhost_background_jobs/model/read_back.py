"""Whether a job gets its data back as they were given."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from types import UnionType
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, Secret, SecretBytes, SecretStr, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from modhost_background_jobs.contracts import InvalidJobData

Place: TypeAlias = tuple[str | int, ...]
SECRET_TYPES: Final = (SecretStr, SecretBytes, Secret)
_WHOLE: Final = "the whole"
_PLAIN: Final = (str, int, float, bool, type(None), datetime, date, timedelta, UUID, Decimal)


def read_as(model: Any, text: str) -> Any:
    """Return the JSON as a type, its fields by their aliases or by their names.

    Raises `ValidationError`.
    """
    try:
        adapter = _adapter(model)
    except TypeError:  # not hashable
        adapter = TypeAdapter(model)
    return adapter.validate_json(text, by_alias=True, by_name=True)


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
        named = _with_json_keys(value)
        if len(named) != len(value):
            return f"{_named(place)} has two keys that are the same in JSON"
        pairs: Any = [(name, below, written[name]) for name, below in named.items()]
    elif _is_list(value):
        pairs = [(at, *both) for at, both in enumerate(zip(value, written, strict=True))]
    else:
        return None
    found = (_loss_within(below, other, (*place, step)) for step, below, other in pairs)
    return next(filter(None, found), None)


def _is_more_than_json(value: Any) -> bool:
    if isinstance(value, Mapping):
        keys_differ = any(type(key) is not str for key in value)
        return keys_differ or any(map(_is_more_than_json, value.values()))
    return is_model(value) or (_is_list(value) and any(map(_is_more_than_json, value)))


def _loss_in_model(data: Any, text: str, place: Place) -> str | None:
    try:
        back = read_as(type(data), text)
    except ValidationError as error:
        # Without the input, which may be secret.
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return "; ".join(
            f"{_named((*place, *each['loc']))} cannot be read ({each['msg']})" for each in found
        )
    except PydanticUserError:  # a dataclass of types that nobody can read
        return None
    if back == data:
        return None
    lost = _difference(data, back, place)
    return None if lost is None else f"{_named(lost)} would be lost or changed"


def is_model(data: Any) -> bool:
    """Return whether a value is one of a model or a dataclass."""
    is_dataclass = dataclasses.is_dataclass(data) and not isinstance(data, type)
    return is_dataclass or isinstance(data, BaseModel)


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


def _difference(given: Any, back: Any, place: Place) -> Place | None:
    """Return where two values differ in what JSON can say, None where they do not."""
    if is_model(given) and is_model(back):
        if type(given) is not type(back):
            return place
        given, back = _fields(given), _fields(back)
    if isinstance(given, Mapping) and isinstance(back, Mapping):
        if given.keys() != back.keys():
            named = _with_json_keys(given)
            if len(named) != len(given):
                return place
            given, back = named, _with_json_keys(back)
        missing = given.keys() ^ back.keys()
        if missing:
            return (*place, str(min(missing, key=str)))
        pairs: Any = [(str(name), below, back[name]) for name, below in given.items()]
    elif _is_list(given) and _is_list(back) and len(given) == len(back):
        pairs = [(at, *both) for at, both in enumerate(zip(given, back, strict=True))]
    else:
        return None if _are_alike(given, back) else place
    found = (_difference(below, other, (*place, step)) for step, below, other in pairs)
    return next((each for each in found if each is not None), None)


def _fields(value: Any) -> dict[str, Any]:
    """Return what is to be stored of a value."""
    if not isinstance(value, BaseModel):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    fields = type(value).model_fields
    kept = {name: getattr(value, name) for name, field in fields.items() if not field.exclude}
    return kept | (value.model_extra or {})


def json_key(key: Any) -> str:
    """Return a key as it is in JSON. Raises `InvalidJobData` for a secret, which would be lost."""
    if isinstance(key, SECRET_TYPES):
        msg = "The data have a secret as a key of a table; give it as a value instead."
        raise InvalidJobData(msg)
    return key if type(key) is str else next(iter(json.loads(to_json({key: None}))))


def _with_json_keys(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {json_key(key): value for key, value in values.items()}


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _are_alike(given: Any, back: Any) -> bool:
    """Return whether values are equal, or would be the same JSON where a type says no more."""
    if given == back:
        return True
    if isinstance(given, SECRET_TYPES):
        return False
    try:
        return bool(to_jsonable_python(given) == to_jsonable_python(back))
    except PydanticSerializationError:
        return type(given) is type(back)


def _named(place: Sequence[str | int]) -> str:
    return ".".join(map(str, place)) or _WHOLE
