"""What a field may hold by its annotation, as far as JSON could mistake one kind for another."""

import dataclasses
from collections.abc import Hashable, Iterator, Mapping
from functools import lru_cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BaseModel

_OPEN: Final = (Any, object, Hashable)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, at any depth, or the annotation alone."""
    if get_origin(annotation) is Annotated:
        return alternatives(get_args(annotation)[0])
    if hasattr(annotation, "__value__"):  # of a `type` statement
        return alternatives(annotation.__value__)
    if hasattr(annotation, "__supertype__"):  # a NewType
        return alternatives(annotation.__supertype__)
    if get_origin(annotation) in (Union, UnionType):
        return tuple(each for member in get_args(annotation) for each in alternatives(member))
    return (annotation,)


def is_open(annotation: Any) -> bool:
    """Return whether the annotation allows whatever JSON makes of a value."""
    members = alternatives(annotation)
    return any(each in _OPEN or isinstance(each, TypeVar) for each in members)


def names(annotation: Any, kind: type) -> bool:
    """Return whether a kind is one of several that the annotation allows."""
    members = alternatives(annotation)
    return len(members) > 1 and kind in {get_origin(each) or each for each in members}


def inside(annotation: Any, step: str | int) -> Any:
    """Return the annotation of what is at a key or an index, as a union where there are several."""
    return Union[tuple(_inside(each, step) for each in alternatives(annotation))]  # noqa: UP007


def _inside(annotation: Any, step: str | int) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if _is_typed_table(annotation):
        return hints_of(annotation).get(str(step), Any)
    if hasattr(annotation, "_fields") and isinstance(step, int):  # a named tuple
        return hints_of(annotation).get(annotation._fields[step], Any)
    if not isinstance(origin, type) or not arguments:
        return Any
    if _is_table(annotation):
        return arguments[-1]
    if issubclass(origin, tuple) and arguments[-1] is not ... and isinstance(step, int):
        return arguments[step] if step < len(arguments) else Any
    return arguments[0]


def key_of(annotation: Any) -> Any:
    """Return the annotation of the keys of a table, as a union where there are several."""
    members = [get_args(each) for each in alternatives(annotation) if _is_table(each)]
    return Union[tuple(each[0] for each in members)] if members else Any  # noqa: UP007


def of_field(kind: Any, name: str) -> Any:
    """Return the annotation of a field of a model or a dataclass; `Any` where there is none."""
    if issubclass(kind, BaseModel):
        field = kind.model_fields.get(name)
        return Any if field is None else field.annotation
    return hints_of(kind).get(name, Any)


def _is_typed_table(annotation: Any) -> bool:
    return hasattr(annotation, "__required_keys__")  # a TypedDict of any origin


def _is_table(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return isinstance(origin, type) and issubclass(origin, Mapping)


@lru_cache(maxsize=1024)
def hints_of(kind: Any) -> Mapping[str, Any]:
    """Return the annotations of the fields of a class; none where they cannot be read."""
    try:
        return get_type_hints(kind)
    except (NameError, TypeError):  # of a type that is known elsewhere
        return {}


@lru_cache(maxsize=1024)
def has_unions(kind: Any) -> bool:
    """Return whether a field of a model, at any depth, may hold one of several kinds."""
    return _has_unions(kind, set())


def _has_unions(annotation: Any, seen: set[str]) -> bool:
    if len([each for each in alternatives(annotation) if each is not type(None)]) > 1:
        return True
    below = annotations_within(annotation)
    unseen = [each for each in below if repr(each) not in seen]
    seen.update(map(repr, unseen))
    return any(_has_unions(each, seen) for each in unseen)


def annotations_within(annotation: Any) -> list[Any]:
    """Return the annotations of what a value may hold: of its items, or of its fields."""
    members = alternatives(annotation)
    return [argument for each in members for argument in (*get_args(each), *_fields(each))]


def _fields(kind: Any) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield from (each.annotation for each in kind.model_fields.values())
    elif dataclasses.is_dataclass(kind) or _is_typed_table(kind) or hasattr(kind, "_fields"):
        yield from hints_of(kind).values()
