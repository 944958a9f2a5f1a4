"""The types of what is within options: in lists, in tables, and of each alternative of a union."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from modhost.configuration.option_types import alternatives, is_model, models_of, options_in

Place = tuple[int | str, ...]
"""Keys of tables and indices of lists."""


def types_at(place: Place, annotation: Any, *, tags: bool = False) -> list[Any]:
    """Return the types of what is at a place, those of each alternative of the unions around it.

    Args:
        place: where it is.
        annotation: the type of the whole.
        tags: whether parts of the place may be tags, by which pydantic names alternatives.

    """
    types = [annotation]
    for part in place:
        found: dict[int, Any] = {}
        for each in types:
            kinds = alternatives(each)
            after_tag = [each] if tags and len(kinds) > 1 else []
            inner = [below for kind in kinds for below in _below(kind, part)]
            found |= {id(one): one for one in (*after_tag, *inner)}
        types = list(found.values())
    return types


def models_at(place: Place, annotation: Any) -> list[type[BaseModel]]:
    """Return the models of the table at a place, those of each alternative."""
    return [model for each in types_at(place, annotation) for model in models_of(each)]


def without_tags(place: Place, annotation: Any, value: Any) -> Place:
    """Return the place of a mistake as people write it, without the tags of unions in it.

    Args:
        place: where pydantic found the mistake.
        annotation: the type of the whole.
        value: the whole, as it is written.

    """
    written: list[int | str] = []
    for at, part in enumerate(place):
        if _has(value, part):
            value = value[part]
        elif any(
            len(alternatives(each)) > 1 for each in types_at(place[:at], annotation, tags=True)
        ):
            continue
        else:
            value = None
        written.append(part)
    return tuple(written)


def has_secrets(annotation: Any, *, in_models: bool, within: tuple[Any, ...] = ()) -> bool:
    """Return whether a type is secret or contains a secret one, as `list[SecretStr]` does.

    Args:
        annotation: the type.
        in_models: whether the fields of models count.
        within: the types around it.

    """
    for kind in alternatives(annotation):
        if _is_secret_type(kind):
            return True
        inner = _fields(kind) if in_models and is_model(kind) else _arguments(kind)
        around = (*within, kind)
        if kind not in within and any(
            has_secrets(each, in_models=in_models, within=around) for each in inner
        ):
            return True
    return False


def _below(kind: Any, part: int | str) -> Iterable[Any]:
    if is_model(kind):
        field = options_in(kind).get(str(part))
        return [field.annotation] if field else []
    leads_in = isinstance(part, int) or not _is_list(kind)
    return _arguments(kind) if leads_in else ()


def _fields(model: type[BaseModel]) -> list[Any]:
    return [each.annotation for each in model.model_fields.values()]


def _arguments(kind: Any) -> tuple[Any, ...]:
    return () if is_model(kind) else get_args(kind)


def _is_secret_type(kind: Any) -> bool:
    plain = get_origin(kind) or kind
    return isinstance(plain, type) and issubclass(plain, SecretStr | SecretBytes | Secret)


def _is_list(kind: Any) -> bool:
    plain = get_origin(kind)
    return (
        isinstance(plain, type) and issubclass(plain, Collection) and not issubclass(plain, Mapping)
    )


def _has(value: Any, part: int | str) -> bool:
    if isinstance(value, Mapping):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)
