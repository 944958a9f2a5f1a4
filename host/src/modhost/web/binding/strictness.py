"""Strict spellings: values that pydantic accepts and nobody means to send are refused."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from modhost.configuration.option_types import names_of
from modhost.web.problems import FieldError, invalid_fields

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_BARE_NUMBER: Final = re.compile(r"\s*[+-]?[0-9.]+\s*")


def refuse_odd(given: object, value: object, source: str) -> None:
    """Compare what was sent with what was read; `source` names what has no field name of its own.

    Raises `HttpProblem` 422 with the fields for a NUL, which PostgreSQL cannot hold in a text, and
    for other spellings of an id, a whole number or a time than the documented ones.
    """
    errors = [
        FieldError(each.field or source, each.message) for each in _oddities(given, value, ())
    ]
    if errors:
        raise invalid_fields(errors)


def oddity(text: str, value: object) -> str | None:
    """Return what is odd in one value, as a sentence; None for nothing."""
    if "\0" in text:
        return "A text cannot hold the character NUL."
    if isinstance(value, UUID) and not _UUID.fullmatch(text):
        return "Write the id as 8-4-4-4-12 hexadecimal digits."
    if type(value) is int and not _INTEGER.fullmatch(text):
        return "Write the number by its digits alone."
    if isinstance(value, datetime) and _BARE_NUMBER.fullmatch(text):
        return "Write the time as RFC 3339, such as 2026-01-31T09:30:00Z."
    return None


def _oddities(given: object, value: object, path: tuple[str, ...]) -> Iterator[FieldError]:
    if isinstance(given, str):
        if found := oddity(given, value):
            yield FieldError(".".join(path), found)
    elif isinstance(given, Mapping):
        for name, below in given.items():
            if "\0" in name:
                yield FieldError(".".join(path), "A name cannot hold the character NUL.")
            yield from _oddities(below, _at(value, name), (*path, name))
    elif isinstance(given, list):
        read = value if isinstance(value, Sequence) and len(value) == len(given) else given
        for index, (below, each) in enumerate(zip(given, read, strict=True)):
            yield from _oddities(below, each, (*path, str(index)))


def _at(value: object, name: str) -> Any:
    """Return what a name of the request became."""
    if isinstance(value, Mapping):
        return value.get(name)
    if isinstance(value, BaseModel):
        field = _fields_of(type(value)).get(name)
        return getattr(value, field) if field else None
    return None


@lru_cache(maxsize=1024)
def _fields_of(model: type[BaseModel]) -> dict[str, str]:
    """Return the fields of a model by each name that a request may carry them by."""
    return {name: field for field in model.model_fields for name in names_of(model, field)}
