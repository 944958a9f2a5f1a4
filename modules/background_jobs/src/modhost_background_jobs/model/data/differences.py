"""How data that were read differ from those that were given, in what JSON can say."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import BaseModel, Secret, SecretBytes, SecretStr
from pydantic_core import PydanticSerializationError, to_json, to_jsonable_python

from modhost_background_jobs.contracts import InvalidJobData
from modhost_background_jobs.model.data.declared_kinds import (
    inside,
    is_open,
    key_of,
    names,
    of_field,
)

Place: TypeAlias = tuple[str | int, ...]
SECRET_TYPES: Final = (SecretStr, SecretBytes, Secret)
_WHOLE: Final = "the whole"
_CHANGED: Final = "would be lost or changed"
_OF_JSON: Final = (str, int, float, bool)


class _Pair(NamedTuple):
    """A value and what was read of it, with what is declared to be there."""

    step: str | int
    given: Any
    back: Any
    annotation: Any


def difference(given: Any, back: Any, place: Place, annotation: Any) -> str | None:
    """Return a sentence for the first difference, None where there is none.

    Args:
        given: the value that was given.
        back: the one that was read.
        place: where they are.
        annotation: what is declared to be there.

    """
    if is_model(given) and is_model(back):
        if type(given) is not type(back):
            return f"{named(place)} {_CHANGED}"
        fields, others = _fields(given), _fields(back)
        kinds = {name: of_field(type(given), name) for name in fields}
        return _difference_in_table(fields, others, place, kinds)
    if type(given) is not type(back) and names(annotation, type(given)):
        return f"{named(place)} {_other_kind(given, back)}"
    if isinstance(given, Mapping) and isinstance(back, Mapping):
        return _difference_in_table(given, back, place, annotation)
    if isinstance(given, Set) and isinstance(back, Set):
        found = _by_json(back)
        pairs = [
            _Pair(at, value, found.get(text), inside(annotation, 0))
            for at, (text, value) in enumerate(_by_json(given).items())
        ]
        return _first_difference(pairs, place)
    if is_list(given) and is_list(back) and len(given) == len(back):
        both = enumerate(zip(given, back, strict=True))
        pairs = [_Pair(at, *values, inside(annotation, at)) for at, values in both]
        return _first_difference(pairs, place)
    how = _how_unlike(given, back, annotation)
    return how and f"{named(place)} {how}"


def _difference_in_table(
    given: Mapping[Any, Any], back: Mapping[Any, Any], place: Place, declared: Any
) -> str | None:
    """Return the first difference of keys or values; `declared` is of the table, or of each key."""
    keys, others = _by_key(given), _by_key(back)
    if len(keys) != len(given):
        return f"{named(place)} {_CHANGED}"
    if missing := keys.keys() ^ others.keys():
        return f"{named((*place, min(missing)))} {_CHANGED}"
    pairs = []
    for name, key in keys.items():
        if type(key) is not str:
            pairs.append(_Pair(name, key, others[name], key_of(declared)))
        kind = declared[key] if isinstance(declared, dict) else inside(declared, name)
        pairs.append(_Pair(name, given[key], back[others[name]], kind))
    return _first_difference(pairs, place)


def _first_difference(pairs: Iterable[_Pair], place: Place) -> str | None:
    return next(filter(None, _differences(pairs, place)), None)


def _differences(pairs: Iterable[_Pair], place: Place) -> Iterator[str | None]:
    for step, given, back, annotation in pairs:
        yield difference(given, back, (*place, step), annotation)


def _how_unlike(given: Any, back: Any, annotation: Any) -> str | None:
    """Return None for values that are equal, or the same JSON where a type says no more."""
    if given == back:
        return None
    if isinstance(given, SECRET_TYPES):
        return _CHANGED
    is_same_kind = type(given) is type(back) or isinstance(given, _OF_JSON) or is_open(annotation)
    try:
        is_same_json = bool(to_jsonable_python(given) == to_jsonable_python(back))
    except PydanticSerializationError:
        is_same_json = type(given) is type(back)
    if is_same_json and not is_same_kind:
        return _other_kind(given, back)
    return None if is_same_json else _CHANGED


def _other_kind(given: Any, back: Any) -> str:
    if back is None:
        return _CHANGED
    return f"would be read as {type(back).__name__} instead of {type(given).__name__}"


def is_model(data: Any) -> bool:
    """Return whether a value is one of a model or a dataclass."""
    is_dataclass = dataclasses.is_dataclass(data) and not isinstance(data, type)
    return is_dataclass or isinstance(data, BaseModel)


def is_list(value: Any) -> bool:
    """Return whether a value is an array in JSON, in an order of its own."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def json_key(key: Any) -> str:
    """Return a key as it is in JSON. Raises `InvalidJobData` for a secret, which would be lost."""
    if isinstance(key, SECRET_TYPES):
        msg = "The data have a secret as a key of a table; give it as a value instead."
        raise InvalidJobData(msg)
    return key if type(key) is str else next(iter(json.loads(to_json({key: None}))))


def named(place: Sequence[str | int]) -> str:
    """Return a place in words."""
    return ".".join(map(str, place)) or _WHOLE


def _fields(value: Any) -> dict[str, Any]:
    """Return what is to be stored of a value."""
    if not isinstance(value, BaseModel):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    fields = type(value).model_fields
    kept = {name: getattr(value, name) for name, field in fields.items() if not field.exclude}
    return kept | (value.model_extra or {})


def _by_key(table: Mapping[Any, Any]) -> dict[str, Any]:
    return {json_key(key): key for key in table}


def _by_json(values: Set[Any]) -> dict[bytes, Any]:
    return {to_json(value): value for value in values}
