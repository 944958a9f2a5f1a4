"""Whether a column can hold what its model says: `text` does for `varchar`, `integer` does not."""

from typing import Any, Final

from alembic.migration import MigrationContext
from sqlalchemy import Boolean, Column, Date, DateTime, Dialect, Integer, Numeric, String, Time
from sqlalchemy.types import TypeDecorator, TypeEngine

_FAMILIES: Final[tuple[type[TypeEngine[Any]], ...]] = (
    Boolean,
    Date,
    DateTime,
    Integer,
    Numeric,
    String,
    Time,
)


def is_other_type(
    context: MigrationContext,
    _existing_column: Column[Any],
    _wanted_column: Column[Any],
    existing: TypeEngine[Any],
    wanted: TypeEngine[Any],
) -> bool:
    """Tell whether two types are of different families, with the parameters that alembic gives.

    Types of no family that both databases have, such as JSON, arrays and UUIDs, count as alike:
    SQLite stores them as others.
    """
    there, needed = _family(existing), _family(_stored(wanted, context.dialect))
    return there is not None and needed is not None and there is not needed


def _stored(type_: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    """Return what a type of our own is stored as."""
    while isinstance(type_, TypeDecorator):
        type_ = type_.load_dialect_impl(dialect)
    return type_


def _family(type_: TypeEngine[Any]) -> type[TypeEngine[Any]] | None:
    return next((family for family in _FAMILIES if isinstance(type_, family)), None)
