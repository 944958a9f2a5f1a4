"""Compare defaults: which columns the database has to fill by its models, and does not."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Computed, DefaultClause, Identity, Table
from sqlalchemy.engine import Inspector
from sqlalchemy.engine.interfaces import ReflectedColumn


def missing_defaults(
    inspector: Inspector, table: Table, columns: list[ReflectedColumn]
) -> Iterator[str]:
    """Yield the columns that an INSERT of the model leaves out, and that the database cannot fill.

    Which value a default has is not compared.
    """
    there = {each["name"]: each for each in columns}
    for column in table.columns:
        found = there.get(column.name)
        if found and _is_left_out(column, inspector.dialect.name) and not _is_filled(found):
            yield column.name


def _is_left_out(column: Column[Any], dialect: str) -> bool:
    """Return whether an INSERT of the model leaves a column out and awaits a value."""
    if isinstance(column.server_default, DefaultClause | Computed):
        return True
    if dialect == "sqlite":
        # It numbers the rows of a table itself.
        return False
    numbered = column.table.autoincrement_column is column and column.default is None
    return numbered or isinstance(column.server_default, Identity)


def _is_filled(column: ReflectedColumn) -> bool:
    return bool(column["default"] or column.get("identity") or column.get("computed"))
