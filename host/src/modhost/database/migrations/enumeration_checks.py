"""Compare checks of enumerations that are stored as text: `kind IN ('NOVEL', 'ATLAS')`."""

import re
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Column, Enum
from sqlalchemy.types import TypeDecorator

_LITERAL: Final = re.compile(r"'((?:[^']|'')*)'")
_CAST: Final = re.compile(r"::(character varying|\w+)(\(\d+\))?(\[\])?")
_FORM: Final = re.compile(r"[()\[\]\"`\s]")


def refused_values(column: Column[Any], checks: Iterable[str]) -> list[str]:
    """Return the values of a model's column that checks of the database refuse.

    Args:
        column: that of the model.
        checks: the conditions of its table in the database.

    """
    type_ = column.type
    while isinstance(type_, TypeDecorator):
        type_ = type_.impl_instance
    if not isinstance(type_, Enum):
        return []
    allowed = [values for check in checks if (values := _allowed(check, column.name))]
    return [each for each in type_.enums if any(each not in values for values in allowed)]


def _allowed(check: str, column: str) -> set[str]:
    """Return the values that a check lists for a column; none for a check of another form."""
    form = _FORM.sub("", _CAST.sub("", _LITERAL.sub("?", check))).lower()
    listed = re.fullmatch(rf"{re.escape(column.lower())}(in|=anyarray|=)\?(,\?)*", form)
    values = _LITERAL.findall(check) if listed else []
    return {each.replace("''", "'") for each in values}
