"""Checks of the models of all modules together: their names, and what refers to what."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.orm import class_mapper, registry

from modhost.checks import Finding, rules
from modhost.database.sqlite.dialect import flat_name
from modhost.plugins import FoundModule
from modhost.plugins.module_models import ModuleModels, models_of

_STANDS_FOR: Final = "modhost.stands_for"
_REMEDY: Final = (
    "Fix the model. Names of classes are unique within a registry: let the tables of each module "
    "have one of their own."
)


def check_models(modules: Sequence[FoundModule], *, has_schemas: bool) -> list[Finding]:
    """Return what is wrong with the models; those that are right are configured.

    Args:
        modules: all modules of the host.
        has_schemas: whether the database has schemas; else all tables share their names.

    """
    models = models_of(modules)
    findings = [*_equal_names(models, has_schemas=has_schemas), *_unknown_targets(models)]
    return findings or list(_unusable(models))


def _equal_names(models: Sequence[ModuleModels], *, has_schemas: bool) -> Iterator[Finding]:
    """Yield a finding for each name that tables or indexes would share in the database."""
    owners: dict[tuple[str | None, str], tuple[str, FoundModule]] = {}
    for each in models:
        for what, schema, name in _names_of(each, has_schemas=has_schemas):
            key = (schema, name) if has_schemas else (None, name.casefold())
            first, owner = owners.setdefault(key, (what, each.found))
            if first == what:
                continue
            detail = f"{first} of the module {owner.module.name} and {what} of the module "
            detail += f"{each.found.module.name} have the same name in the database, {name!r}."
            remedy = "Rename one of the two, in the model and by a revision."
            yield each.found.finding(rules.EQUAL_NAMES, detail, remedy)


def _names_of(models: ModuleModels, *, has_schemas: bool) -> Iterator[tuple[str, str | None, str]]:
    name = models.found.module.name
    if models.found.module.migrations:
        versions = "alembic_version" if has_schemas else flat_name(name, "alembic_version")
        yield "the table of revisions", name, versions
    for table in models.tables:
        written = table.name if has_schemas else flat_name(table.schema, table.name)
        yield f"the table {table.fullname}", table.schema, written
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name is not None:
                yield f"the index {index.name} on {table.fullname}", table.schema, str(index.name)


def _unknown_targets(models: Sequence[ModuleModels]) -> Iterator[Finding]:
    """Yield a finding for each foreign key to a table that is of no module.

    The metadata of a module does not have the tables of others: a stand-in with the column that is
    referred to makes a foreign key to one of them usable.
    """
    known = {table.fullname: table for each in models for table in each.tables}
    names = {each.found.module.name for each in models}
    for each in models:
        for table in each.tables:
            for key in sorted(table.foreign_keys, key=lambda key: key.target_fullname):
                target, _, column = key.target_fullname.rpartition(".")
                schema = target.rpartition(".")[0] or None
                if target in table.metadata.tables and not _stands_in(table, target):
                    continue
                if target in known or schema in names:
                    _stand_in(table, key, known.get(target), schema, column)
                    continue
                detail = f"the column {key.parent} refers to {key.target_fullname}, and no module "
                detail += f"has a table {target}."
                remedy = "Write it as `module.table.column`, and require the module."
                yield each.found.finding(rules.UNUSABLE_MODEL, detail, remedy)


def _stands_in(table: Table, target: str) -> bool:
    return _STANDS_FOR in table.metadata.tables[target].info


def _stand_in(
    table: Table, key: ForeignKey, real: Table | None, schema: str | None, column: str
) -> None:
    name = key.target_fullname.rpartition(".")[0].rpartition(".")[2]
    type_ = key.parent.type if real is None or column not in real.c else real.c[column].type
    target = Table(name, table.metadata, schema=schema, info={_STANDS_FOR: True})
    if column not in target.c:
        target.append_column(Column(column, type_))


def _unusable(models: Sequence[ModuleModels]) -> Iterator[Finding]:
    """Yield a finding for each registry with a model that cannot be configured."""
    owners = {model: each.found for each in models for model in each.classes}
    sharing: dict[registry, list[FoundModule]] = {}
    for model, found in owners.items():
        sharing.setdefault(class_mapper(model, configure=False).registry, []).append(found)
    for each, modules in sharing.items():
        try:
            each.configure(cascade=True)
        except Exception as error:  # noqa: BLE001 - whatever a model's declaration raises
            cause = getattr(error, "_configure_failed", error)
            failed = [m.class_ for m in each.mappers if m._configure_failed is cause]
            found = owners.get(failed[0], modules[0]) if failed else modules[0]
            reason = str(cause).partition("\n")[0].rstrip(".")
            name = f"{failed[0].__module__}.{failed[0].__qualname__}" if failed else "a model"
            detail = f"{name} raised {type(cause).__name__}: {reason}."
            others = sorted({m.module.name for m in modules} - {found.module.name})
            if others:
                detail += f" It shares its registry with the models of {', '.join(others)}, which "
                detail += "are unusable until then."
            yield found.finding(rules.UNUSABLE_MODEL, detail, _REMEDY)
