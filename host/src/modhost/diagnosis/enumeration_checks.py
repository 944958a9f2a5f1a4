"""Compare checks of enumerations that are stored as text: `kind IN ('NOVEL', 'ATLAS')`."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Enum, Table
from sqlalchemy.engine.interfaces import ReflectedCheckConstraint
from sqlalchemy.types import TypeDecorator

_LITERAL: Final = re.compile(r"'((?:[^']|'')*)'")
_CAST: Final = re.compile(r"::(character varying|\w+)(\(\d+\))?(\[\])?")
_FORM: Final = re.compile(r"[()\[\]\"`\s]")


def refused_values(
    table: Table, checks: Sequence[ReflectedCheckConstraint]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each column whose check refuses values of its model, and these values."""
    for column in table.columns:
        type_ = column.type
        while isinstance(type_, TypeDecorator):
            type_ = type_.impl_instance
        if not isinstance(type_, Enum):
            continue
        for check in checks:
            allowed = _allowed(check["sqltext"], column.name)
            refused = [each for each in type_.enums if each not in allowed]
            if allowed and refused:
                yield column.name, refused


def _allowed(check: str, column: str) -> set[str]:
    """Return the values that a check lists for a column; none for a check of another form."""
    form = _FORM.sub("", _CAST.sub("", _LITERAL.sub("?", check))).lower()
    listed = re.fullmatch(rf"{re.escape(column.lower())}(in|=anyarray|=)\?(,\?)*", form)
    values = _LITERAL.findall(check) if listed else []
    return {each.replace("''", "'") for each in values}
