"""Compare foreign keys: those of the models with the database's, and these with the tables."""

from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import Connection, ForeignKeyConstraint, Table, inspect, text
from sqlalchemy.engine import Inspector
from sqlalchemy.exc import NoSuchTableError

from modhost.checks import Finding, rules
from modhost.database import Database
from modhost.database.sqlite.dialect import flat_name
from modhost.plugins.discovery import FoundModule
from modhost.plugins.module_models import models_of

_DANGLING: Final = text("""
SELECT t.name AS owner, k."from" AS field, k."table" AS target
FROM sqlite_master t, pragma_foreign_key_list(t.name) k
WHERE t.type = 'table' AND lower(k."table") NOT IN (
    SELECT lower(name) FROM sqlite_master WHERE type = 'table'
)
ORDER BY 1, 2
""")


async def check_foreign_keys(database: Database, modules: Sequence[FoundModule]) -> list[Finding]:
    """Return a finding for each foreign key that a model has and the database lacks.

    And, on SQLite, for each to a table that does not exist: changes of its rows fail.
    """
    findings: list[Finding] = []
    async with database.reading() as session:
        connection = await session.connection()
        if database.dialect == "sqlite":
            rows = (await connection.execute(_DANGLING)).all()
            findings += [_dangling(row.owner, row.field, row.target, modules) for row in rows]
        for models in models_of(modules):
            findings += await connection.run_sync(_missing, models.found, models.tables)
    return findings


def _dangling(table: str, column: str, target: str, modules: Sequence[FoundModule]) -> Finding:
    names = sorted((each.module.name for each in modules), key=len, reverse=True)
    owner = next((each for each in names if table.startswith(f"{each}_")), None)
    detail = f"{table}.{column} refers to the table {target}, which does not exist."
    remedy = "Write a revision with op.drop_constraint and op.create_foreign_key for it."
    return Finding(rules.DANGLING_FOREIGN_KEY, detail, remedy, owner)


def _missing(connection: Connection, found: FoundModule, tables: Sequence[Table]) -> list[Finding]:
    inspector = inspect(connection)
    remedy = "Write a migration that creates the foreign key, then run `modhost migrate`."
    findings = []
    for table in tables:
        wanted = dict(sorted(_in_model(table)))
        try:
            there = set(_in_database(inspector, table)) if wanted else set()
        except NoSuchTableError:  # reported as such
            continue
        for columns, target in wanted.items():
            schema, _, name = target.rpartition(".")
            written = flat_name(schema, name) if inspector.dialect.name == "sqlite" else target
            if (columns, written) not in there:
                detail = f"{', '.join(columns)} of {table.fullname} refers to {target} in the "
                detail += "model, and not in the database."
                module = found.module.name
                findings.append(Finding(rules.MISSING_FOREIGN_KEY, detail, remedy, module))
    return findings


def _in_model(table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the columns of each foreign key, and the table that it refers to."""
    for key in table.constraints:
        if isinstance(key, ForeignKeyConstraint):
            yield tuple(key.column_keys), key.elements[0].target_fullname.rpartition(".")[0]


def _in_database(inspector: Inspector, table: Table) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the same of the database; a table of the default schema is without one, too."""
    if inspector.dialect.name == "sqlite":
        # By their names in the file: of which schema a table is may be ambiguous.
        for key in inspector.get_foreign_keys(flat_name(table.schema, table.name)):
            yield tuple(key["constrained_columns"]), key["referred_table"]
        return
    # With their schemas, whichever is the default one.
    names = {"postgresql_ignore_search_path": True}
    for key in inspector.get_foreign_keys(table.name, schema=table.schema, **names):
        columns, schema = tuple(key["constrained_columns"]), key["referred_schema"]
        yield columns, key["referred_table"]
        yield columns, f"{schema}.{key['referred_table']}"
