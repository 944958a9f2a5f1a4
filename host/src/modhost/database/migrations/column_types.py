"""Compare the type of a column with that of its model, on either database."""

from typing import Any, Final

from alembic.migration import MigrationContext
from sqlalchemy import Column, Dialect, types

_FAMILIES: Final = (
    *(types.Boolean, types.Date, types.DateTime, types.Integer, types.Numeric),
    *(types.String, types.Time),
)


def is_other_type(
    context: MigrationContext,
    _existing_column: Column[Any],
    _wanted_column: Column[Any],
    existing: types.TypeEngine[Any],
    wanted: types.TypeEngine[Any],
) -> bool:
    """Return whether a column's type cannot hold what its model says; called by alembic.

    `text` does for `varchar`, `integer` does not. Types outside of the families that both databases
    have, such as JSON, arrays and UUIDs, are never different: SQLite stores them as others.
    """
    there, needed = _family(existing), _family(_stored(wanted, context.dialect))
    return there is not None and needed is not None and there is not needed


def is_changed_type(
    context: MigrationContext,
    existing_column: Column[Any],
    wanted_column: Column[Any],
    existing: types.TypeEngine[Any],
    wanted: types.TypeEngine[Any],
) -> bool:
    """Return whether a column's type, or the length of its texts, is not that of the model."""
    if is_other_type(context, existing_column, wanted_column, existing, wanted):
        return True
    stored = _stored(wanted, context.dialect)
    if not isinstance(existing, types.String) or not isinstance(stored, types.String):
        return False
    return existing.length != stored.length


def _stored(type_: types.TypeEngine[Any], dialect: Dialect) -> types.TypeEngine[Any]:
    """Return the type that a custom type is stored as."""
    while isinstance(type_, types.TypeDecorator):
        type_ = type_.load_dialect_impl(dialect)
    return type_


def _family(type_: types.TypeEngine[Any]) -> type[types.TypeEngine[Any]] | None:
    return next((family for family in _FAMILIES if isinstance(type_, family)), None)
