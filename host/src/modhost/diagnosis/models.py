"""The tables that a module's models describe, and the types of their columns."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from alembic.migration import MigrationContext
from sqlalchemy import Column, Dialect, Table, types
from sqlalchemy.orm import DeclarativeBase
from sqlmodel import SQLModel

from modhost.plugins import FoundModule

_FAMILIES: Final = (
    *(types.Boolean, types.Date, types.DateTime, types.Integer, types.Numeric),
    *(types.String, types.Time),
)


def tables_of(found: FoundModule, modules: Collection[str]) -> list[Table]:
    """Return the tables that a module has models for, by name.

    Those are the models whose schema is the module's name, and those of its package whose schema
    is not another module's. Models that nothing has imported are unknown.

    Args:
        found: the module.
        modules: the names of all modules.

    """
    name = found.module.name
    package = type(found.module).__module__.rpartition(".")[0] or type(found.module).__module__
    tables: dict[str, Table] = {}
    for model, table in _models():
        is_inside = model.__module__ == package or model.__module__.startswith(f"{package}.")
        if table.schema == name or (is_inside and table.schema not in modules):
            tables.setdefault(table.fullname, table)
            # A table that has no class of its own belongs to those beside it.
            for beside in table.metadata.tables.values():
                if beside.schema == table.schema:
                    tables.setdefault(beside.fullname, beside)
    return [tables[each] for each in sorted(tables)]


def _models() -> Iterator[tuple[type, Table]]:
    roots: list[type] = [SQLModel, DeclarativeBase]
    while roots:
        below: list[type] = roots.pop().__subclasses__()
        roots += below
        for model in below:
            table = vars(model).get("__table__")
            if isinstance(table, Table):
                yield model, table


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


def _stored(type_: types.TypeEngine[Any], dialect: Dialect) -> types.TypeEngine[Any]:
    """Return the type that a custom type is stored as."""
    while isinstance(type_, types.TypeDecorator):
        type_ = type_.load_dialect_impl(dialect)
    return type_


def _family(type_: types.TypeEngine[Any]) -> type[types.TypeEngine[Any]] | None:
    return next((family for family in _FAMILIES if isinstance(type_, family)), None)
