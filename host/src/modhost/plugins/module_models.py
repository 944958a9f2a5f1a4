"""The models of modules: which classes, and which tables, belong to which module."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.orm import DeclarativeBase
from sqlmodel import SQLModel

from modhost.plugins.discovery import FoundModule


@dataclass(frozen=True, slots=True)
class ModuleModels:
    """The classes with a table of one module, and its tables by name, also those without a class.

    Models that nothing has imported are unknown.
    """

    found: FoundModule
    classes: Sequence[type]
    tables: Sequence[Table]


def models_of(modules: Sequence[FoundModule]) -> list[ModuleModels]:
    """Return the models of each module.

    Those are the ones whose schema is the module's name, and those of its package whose schema is
    not another module's.
    """
    names = {found.module.name for found in modules}
    mapped = list(_mapped())
    return [_of_module(found, names, mapped) for found in modules]


def _of_module(
    found: FoundModule, names: Collection[str], mapped: Sequence[tuple[type, Table]]
) -> ModuleModels:
    name = found.module.name
    package = type(found.module).__module__.rpartition(".")[0] or type(found.module).__module__
    classes: list[type] = []
    tables: dict[str, Table] = {}
    for model, table in mapped:
        is_inside = model.__module__ == package or model.__module__.startswith(f"{package}.")
        if table.schema == name or (is_inside and table.schema not in names):
            classes.append(model)
            tables.setdefault(table.fullname, table)
            # A table that has no class of its own belongs to those beside it.
            for beside in table.metadata.tables.values():
                if beside.schema == table.schema:
                    tables.setdefault(beside.fullname, beside)
    return ModuleModels(found, classes, [tables[each] for each in sorted(tables)])


def _mapped() -> Iterator[tuple[type, Table]]:
    roots: list[type] = [SQLModel, DeclarativeBase]
    while roots:
        below: list[type] = roots.pop().__subclasses__()
        roots += below
        for model in below:
            table = vars(model).get("__table__")
            if isinstance(table, Table):
                yield model, table
