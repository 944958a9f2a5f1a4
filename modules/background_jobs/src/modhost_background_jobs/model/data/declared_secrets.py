"""Secrets of data that were given as JSON, and not as the type that declares what is secret."""

import dataclasses
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar, get_origin

from pydantic import AliasChoices, AliasPath, BaseModel, RootModel
from pydantic.fields import FieldInfo

from modhost_background_jobs.model.data.declared_kinds import (
    alternatives,
    annotations_within,
    hints_of,
    inside,
)
from modhost_background_jobs.model.data.differences import SECRET_TYPES, Place
from modhost_background_jobs.model.data.secret_json import (
    KEY,
    escaped_key,
    is_marked,
    is_wrapped,
    revealed,
)


def with_secrets_of(model: Any, stored: str) -> str:
    """Return JSON in which what a type declares to be secret is marked.

    The type need not be able to read it. What has another shape than the type says is secret as a
    whole where the type declares anything in it to be so.
    """
    if not declares_secrets(model):
        return stored
    whole = {"data": json.loads(stored)}
    for place in _places(revealed(whole["data"]), model, ()):
        _mark(whole, place)
    return json.dumps(whole["data"], ensure_ascii=False, separators=(",", ":"))


def declares_secrets(annotation: Any) -> bool:
    """Return whether a type declares anything to be secret, at any depth."""
    try:
        return _declares_secrets(annotation)
    except TypeError:  # not hashable
        return any(map(_is_secret, _all_within(annotation)))


def _places(value: Any, annotation: Any, path: Place) -> Iterator[Place]:
    if value is None or not declares_secrets(annotation):
        return
    kinds = list(_kinds(annotation))
    if any(map(_is_secret_type, kinds)):
        yield path
        return
    taking = [kind for kind in kinds if _takes(kind, value)]
    if not taking:
        yield path
    for kind in filter(declares_secrets, taking):
        if isinstance(value, dict) and _is_model(kind):
            yield from _places_in_model(value, kind, path)
        elif isinstance(value, dict):
            hints = hints_of(kind)
            for key, below in value.items():
                yield from _places(below, hints.get(key) or inside(kind, key), (*path, key))
        elif isinstance(value, list):
            for at, below in enumerate(value):
                yield from _places(below, inside(kind, at), (*path, at))


def _kinds(annotation: Any) -> Iterator[Any]:
    for kind in alternatives(annotation):
        if _is_model(kind) and issubclass(kind, RootModel):
            yield from _kinds(kind.model_fields["root"].annotation)
        else:
            yield kind


def _takes(kind: Any, value: Any) -> bool:
    """Return whether a type may be read from JSON of the shape of a value."""
    plain = get_origin(kind) or kind
    if plain is Any or plain is object or isinstance(plain, TypeVar):
        return True
    is_class = isinstance(plain, type)
    has_fields = is_class and (_is_model(plain) or dataclasses.is_dataclass(plain))
    is_table = has_fields or (is_class and issubclass(plain, Mapping))
    is_named = hasattr(plain, "_fields")
    is_list = is_class and issubclass(plain, Collection) and not issubclass(plain, str | bytes)
    if isinstance(value, dict):
        return is_table or is_named
    if isinstance(value, list):
        return is_list and not is_table
    return not is_table and not is_list


def _places_in_model(value: Any, model: type[BaseModel], path: Place) -> Iterator[Place]:
    for name, field in model.model_fields.items():
        for steps in _read_from(name, field):
            place = (*path, *steps)
            found = _at(value, steps)
            # What is not found may be there in another shape.
            if is_marked(field) or (found is None and declares_secrets(field.annotation)):
                yield place
            else:
                yield from _places(found, field.annotation, place)


def _at(value: Any, steps: Place) -> Any:
    for step in steps:
        if not _has(value, step):
            return None
        value = value[step]
    return value


def _has(value: Any, step: str | int) -> bool:
    if isinstance(value, dict):
        return step in value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _mark(whole: dict[str, Any], place: Place) -> None:
    """Mark what is at a place, if there is anything; what holds it in a way of its own, too."""
    holder: Any = whole
    last: Any = "data"
    for step in map(escaped_key, place):
        found = holder[last]
        if found is None or is_wrapped(found):
            return
        is_alike = isinstance(found, dict if isinstance(step, str) else list)
        if is_alike and not _has(found, step):
            return
        if not is_alike:
            break
        holder, last = found, step
    if holder[last] is not None and not is_wrapped(holder[last]):
        holder[last] = {KEY: holder[last]}


def _read_from(name: str, field: FieldInfo) -> Iterator[Place]:
    """Yield where a model may read a field: by its name or by one of its aliases."""
    yield from {(name,), (field.alias or name,), *_paths(field.validation_alias)}


def _paths(alias: str | AliasPath | AliasChoices | None) -> Iterator[Place]:
    if isinstance(alias, AliasChoices):
        for each in alias.choices:
            yield from _paths(each)
    elif alias is not None:
        yield (alias,) if isinstance(alias, str) else tuple(alias.path)


@lru_cache(maxsize=1024)
def _declares_secrets(annotation: Any) -> bool:
    return any(map(_is_secret, _all_within(annotation)))


def _all_within(annotation: Any) -> Iterable[Any]:
    found: dict[str, Any] = {}
    unseen = [annotation]
    while unseen:
        each = unseen.pop()
        if repr(each) not in found:
            found[repr(each)] = each
            unseen += annotations_within(each)
    return found.values()


def _is_secret(annotation: Any) -> bool:
    kinds: Sequence[Any] = alternatives(annotation)
    return any(
        _is_secret_type(kind)
        or (_is_model(kind) and any(map(is_marked, kind.model_fields.values())))
        for kind in kinds
    )


def _is_secret_type(kind: Any) -> bool:
    plain = get_origin(kind) or kind
    return isinstance(plain, type) and issubclass(plain, SECRET_TYPES)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
