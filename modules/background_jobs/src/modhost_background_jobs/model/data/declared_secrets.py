"""Secrets of data that were given as JSON, and not as the type that declares what is secret."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo

from modhost_background_jobs.model.data.declared_kinds import alternatives, annotations_within
from modhost_background_jobs.model.data.differences import SECRET_TYPES, Place
from modhost_background_jobs.model.data.read_back import is_plain
from modhost_background_jobs.model.data.secret_json import (
    KEY,
    escaped_key,
    find_secrets,
    is_marked,
    is_wrapped,
)


def declares_secrets(model: Any) -> bool:
    """Return whether a type declares anything to be secret, at any depth."""
    try:
        return _declares_secrets(model)
    except TypeError:  # not hashable
        return True


def with_secrets_of(value: Any, stored: str) -> str:
    """Return JSON in which the secrets of a value are marked, which was read from it."""
    kind: Any = type(value)
    places = () if is_plain(kind) else [place for place, _ in find_secrets(value, (), _read_from)]
    if not places:
        return stored
    whole = {"data": json.loads(stored)}
    for place in places:
        _mark(whole, place)
    return _json(whole["data"])


def with_secrets_only(stored: str) -> str:
    """Return JSON in which all values are marked, since any of them may be a secret."""
    value = json.loads(stored)
    if not isinstance(value, dict) or is_wrapped(value):
        return _json(_secret(value))
    return _json({key: _secret(each) for key, each in value.items()})


def _secret(value: Any) -> Any:
    return value if is_wrapped(value) else {KEY: value}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _mark(whole: dict[str, Any], place: Place) -> None:
    """Mark what is at a place, or what its model has read in a way of its own."""
    holder: Any = whole
    last: str | int = "data"
    for step in place:
        found = holder[last]
        if is_wrapped(found):
            return
        key = escaped_key(step)
        if isinstance(found, dict) and isinstance(key, str):
            if key not in found:
                return  # given by another name, or left out
        elif not (isinstance(found, list) and isinstance(key, int) and key < len(found)):
            break
        holder, last = found, key
    holder[last] = _secret(holder[last])


def _read_from(name: str, field: FieldInfo) -> Iterator[Place]:
    """Yield where a model may have read a field: by its name or by one of its aliases."""
    alias = field.validation_alias
    for each in {name, field.alias or name, *_paths(alias)}:
        yield each if isinstance(each, tuple) else (each,)


def _paths(alias: str | AliasPath | AliasChoices | None) -> Iterator[Place]:
    if isinstance(alias, AliasChoices):
        for each in alias.choices:
            yield from _paths(each)
    elif alias is not None:
        yield (alias,) if isinstance(alias, str) else tuple(alias.path)


@lru_cache(maxsize=1024)
def _declares_secrets(model: Any) -> bool:
    return any(map(_is_secret, _all_within(model)))


def _all_within(model: Any) -> Iterable[Any]:
    found: dict[str, Any] = {}
    unseen = [model]
    while unseen:
        each = unseen.pop()
        if repr(each) not in found:
            found[repr(each)] = each
            unseen += annotations_within(each)
    return found.values()


def _is_secret(annotation: Any) -> bool:
    kinds = [get_origin(each) or each for each in alternatives(annotation)]
    return any(
        issubclass(kind, SECRET_TYPES)
        or (issubclass(kind, BaseModel) and any(map(is_marked, kind.model_fields.values())))
        for kind in kinds
        if isinstance(kind, type)
    )
