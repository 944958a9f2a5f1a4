"""Compare models with the tables of the database: find what is not migrated, or was dropped."""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, Final

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, MetaData, Table, inspect, schema
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import NoSuchTableError

from modhost.checks import Finding, rules
from modhost.database import Database
from modhost.database.migrations.column_types import is_other_type
from modhost.database.migrations.enumeration_checks import refused_values
from modhost.diagnosis.column_defaults import missing_defaults
from modhost.plugins.discovery import FoundModule
from modhost.plugins.module_models import models_of

_REMEDY: Final = "Write a migration for it, then run `modhost migrate`."


async def check_models(database: Database, modules: Sequence[FoundModule]) -> list[Finding]:
    """Return a finding for each table, column and index that a model has and the database lacks.

    What only the database has is ignored, unless no row can be added without it. Of defaults only
    missing ones are found, and of checks those of enumerations. The tables must be at their newest
    revision.
    """
    findings: list[Finding] = []
    async with database.reading() as session:
        connection = await session.connection()
        for models in models_of(modules):
            if models.tables:
                findings += await connection.run_sync(_compare, models.found, models.tables)
    return findings


def _compare(connection: Connection, found: FoundModule, tables: Sequence[Table]) -> list[Finding]:
    wanted = MetaData()
    for table in tables:
        _copy(table, wanted, has_schemas=connection.dialect.name != "sqlite")
    with warnings.catch_warnings():
        # About indexes that cannot be reflected; no model has such an index.
        warnings.simplefilter("ignore")
        differences = compare_metadata(_context(connection, wanted), wanted)
    replaced = {each[1].name for each in differences if each[0] == "remove_index"}
    findings = []
    for difference in differences:
        if difference[0] == "add_index":
            index: schema.Index = difference[1]
            findings.append(_index(connection, found, index, exists=index.name in replaced))
        else:
            findings += [_model(found, detail) for detail in _details(difference)]
    inspector = inspect(connection)
    for table in wanted.tables.values():
        findings += [_model(found, detail) for detail in _filled_and_checked(inspector, table)]
    return findings


def _filled_and_checked(inspector: Inspector, table: Table) -> Iterator[str]:
    """Yield sentences about what alembic does not compare."""
    try:
        columns = inspector.get_columns(table.name, schema=table.schema)
        checks = inspector.get_check_constraints(table.name, schema=table.schema)
    except NoSuchTableError:  # reported as such
        return
    for name in missing_defaults(inspector, table, columns):
        yield f"the column {table.fullname}.{name} has no default, and the model relies on one."
    for column in table.columns:
        if refused := refused_values(column, [each["sqltext"] for each in checks]):
            named = ", ".join(map(repr, refused))
            yield f"a check of the column {column} refuses {named}, which the model has."


def _copy(table: Table, wanted: MetaData, *, has_schemas: bool) -> None:
    """Copy a table under the name that it has in the database.

    Foreign keys are left out: they may refer to tables of other modules, which `wanted` lacks.
    """
    if has_schemas or table.schema is None:
        copy = table.to_metadata(wanted)
    else:
        flat = f"{table.schema}_{table.name}"
        copy = table.to_metadata(wanted, schema=None, name=flat)  # type: ignore[arg-type]
    for constraint in list(copy.constraints):
        if isinstance(constraint, schema.ForeignKeyConstraint):
            copy.constraints.discard(constraint)
    copy.foreign_keys.clear()
    for column in copy.columns:
        column.foreign_keys.clear()


def _context(connection: Connection, wanted: MetaData) -> MigrationContext:
    names = {(table.schema, table.name) for table in wanted.tables.values()}
    schemas = {name for name, _ in names}

    def include(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name in schemas
        return kind != "table" or (parents["schema_name"], name) in names

    options = {
        "include_schemas": schemas != {None},
        "include_name": include,
        "compare_type": is_other_type,
    }
    return MigrationContext.configure(connection, opts=options)


def _details(difference: Any) -> Iterator[str]:
    """Yield sentences about what is missing; none for what only the database has."""
    if isinstance(difference, list):
        for change in difference:
            yield from _changes(change)
        return
    kind, *what = difference
    if kind == "add_table":
        yield f"the table {what[0].fullname} does not exist."
    elif kind == "add_column":
        owner, table, column = what
        yield f"the table {_full(owner, table)} has no column {column.name}."
    elif kind == "remove_column" and _is_needed(what[2]):
        owner, table, column = what
        name = f"{_full(owner, table)}.{column.name}"
        yield f"the column {name} takes no NULL, and the model lacks it: no row can be added."
    elif kind == "add_constraint" and isinstance(what[0], schema.UniqueConstraint):
        columns = ", ".join(column.name for column in what[0].columns)
        yield f"the table {what[0].table.fullname} does not keep {columns} unique."


def _changes(change: Any) -> Iterator[str]:
    kind, owner, table, column, _, existing, wanted = change
    name = f"{_full(owner, table)}.{column}"
    if kind == "modify_type":
        yield f"the column {name} is of type {existing!r}, and in the model {wanted!r}."
    elif kind == "modify_nullable":
        verb = "takes" if existing else "does not take"
        other = "takes" if wanted else "does not take"
        yield f"the column {name} {verb} NULL, and in the model it {other} it."


def _is_needed(column: Column[Any]) -> bool:
    """Return whether a row cannot do without a value of a column."""
    automatic = column.primary_key or column.identity or column.computed or column.server_default
    return not column.nullable and not automatic


def _model(found: FoundModule, detail: str) -> Finding:
    remedy = _REMEDY
    if not found.module.migrations:
        remedy = "Set migrations to the package of the module's revisions. " + _REMEDY
    return Finding(rules.MODEL_NOT_MIGRATED, detail, remedy, found.module.name)


def _index(
    connection: Connection, found: FoundModule, index: schema.Index, *, exists: bool
) -> Finding:
    table = index.table.fullname if index.table is not None else "?"
    detail = f"the table {table} has no index {index.name}."
    if exists:
        detail = f"the index {index.name} of {table} differs from that of the model."
    statement = " ".join(str(schema.CreateIndex(index).compile(dialect=connection.dialect)).split())
    remedy = f"If a migration creates it, recreate it by `{statement}`; else write one that does."
    return Finding(rules.MISSING_INDEX, detail, remedy, found.module.name)


def _full(owner: str | None, table: str) -> str:
    return f"{owner}.{table}" if owner else table
