"""Pydantic's errors as findings that name the file, the key, the value and the remedy."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from modhost.checks import Finding, rules
from modhost.configuration.origins import Origins
from modhost.configuration.redaction import HIDDEN, holds_secret, is_secret_name, shown
from modhost.configuration.remedies import message_of, remedy_of
from modhost.configuration.values import Path


def findings_of(
    error: ValidationError,
    section: Path,
    model: type[BaseModel],
    origins: Origins,
    module: str | None,
) -> list[Finding]:
    """Return a finding for each thing that is wrong in a section."""
    return [
        _finding(detail, section, model, origins, module)
        for detail in error.errors(include_url=False)
    ]


def _finding(
    detail: ErrorDetails,
    section: Path,
    model: type[BaseModel],
    origins: Origins,
    module: str | None,
) -> Finding:
    place = detail["loc"]
    location = tuple(str(part) for part in place)
    path = (*section, *location)
    is_missing = detail["type"] == "missing"
    where = f"{origins.of(path[:-1] if is_missing else path)}: {_placed(section, place)}"
    if detail["type"] == "extra_forbidden":
        return Finding(rules.UNKNOWN_KEY, f"{where} is no option.", _known(location, model), module)
    if not location:
        return Finding(rules.BAD_VALUE, f"{where}: {message_of(detail)}.", "", module)
    remedy = remedy_of(detail, origins.variable(path))
    if is_missing:
        return Finding(rules.BAD_VALUE, f"{where} is missing.", remedy, module)
    is_secret = _is_secret(location, model) or any(map(is_secret_name, location))
    value = HIDDEN if is_secret else shown(location[-1], detail["input"])
    return Finding(rules.BAD_VALUE, f"{where} is {value!r}.", remedy, module)


def named(section: Path, location: Path) -> str:
    """Return a key as people find it in the file: `[section] key`."""
    *tables, key = (*section, *location) if location else (*section, "")
    return f"[{'.'.join(tables)}] {key}".rstrip()


def _placed(section: Path, place: tuple[int | str, ...]) -> str:
    """Return the words for a place, which may be within lists: `item 1 of [section] key`."""
    indices = [at for at, part in enumerate(place) if isinstance(part, int)]
    if not indices:
        return named(section, tuple(map(str, place)))
    last = indices[-1]
    item = f"item {int(place[last]) + 1} of {_placed(section, place[:last])}"
    below = ".".join(map(str, place[last + 1 :]))
    return f"{below} of {item}" if below else item


def _is_secret(location: Path, model: type[BaseModel]) -> bool:
    """Tell whether the option at a place, or one above it, is of a secret type."""
    field: Any = model.model_fields.get(location[0])
    if field is None:
        return False
    below = field.annotation
    if len(location) > 1 and isinstance(below, type) and issubclass(below, BaseModel):
        return _is_secret(location[1:], below)
    return holds_secret(below)


def _known(location: Path, model: type[BaseModel]) -> str:
    fields = _fields_at(location[:-1], model)
    similar = get_close_matches(location[-1], fields, 1)
    if similar:
        return f"Did you mean {similar[0]!r}?"
    return f"The options are: {', '.join(fields)}." if fields else "There are no options here."


def _fields_at(path: Path, model: type[BaseModel]) -> list[str]:
    parts = list(path)
    while parts:
        field: Any = model.model_fields.get(parts.pop(0))
        below = _model_in(field.annotation) if field else None
        if below is None:
            return []
        model, containers = below
        del parts[:containers]
    return list(model.model_fields)


def _model_in(annotation: Any, containers: int = 0) -> tuple[type[BaseModel], int] | None:
    """Return the model of an option's values, and in how many lists or tables they are."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, containers
    origin = get_origin(annotation)
    is_container = isinstance(origin, type) and issubclass(origin, Collection)
    found = (_model_in(each, containers + is_container) for each in get_args(annotation))
    return next(filter(None, found), None)
