"""Which tables a module's models describe."""

from collections.abc import Collection, Iterator

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase
from sqlmodel import SQLModel

from modhost.plugins.discovery import FoundModule


def tables_of(found: FoundModule, modules: Collection[str]) -> list[Table]:
    """Return the tables that a module has models for, by name.

    Those are the models whose schema is the module's name, and those of its package whose schema
    is no other module's. Models that nothing has imported are not known to anybody.

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
