"""Write a revision: the differences between the models of a module and its tables."""

import importlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final, NamedTuple

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.migration import MigrationContext
from alembic.operations.ops import AddColumnOp, OpContainer
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator
from sqlmodel import AutoString

from modhost.database import Database
from modhost.database.migrations import pending
from modhost.database.migrations.column_types import is_changed_type
from modhost.database.migrations.histories import histories_of
from modhost.database.schemas import Migrations
from modhost.database.sqlite.dialect import KNOWN_TABLES

_TYPES: Final = "modhost.database.types"
# Its types are written alike on SQLite, as variants.
_POSTGRES: Final = PostgresqlImpl(
    postgresql.dialect(),  # type: ignore[no-untyped-call]
    None,
    as_sql=True,
    transactional_ddl=None,
    output_buffer=None,
    context_opts={},
)
_INSTALLED: Final = {"site-packages", "dist-packages"}
_NOTE: Final = re.compile(r"^ *# ### .*\n?", re.MULTILINE)
_FILE: Final = Template('''"""$title"""

import sqlalchemy as sa
from alembic import op
$imports
revision = "$revision"
down_revision = $before


def upgrade() -> None:
$body
''')


class NotMigrated(Exception):
    """The tables are older than the newest revision."""


class InstalledCopy(Exception):
    """The package is a copy, which its next installation replaces."""


class Written(NamedTuple):
    """A revision that was written.

    Args:
        file: where it is.
        differs: whether the models and the tables differ: else there is nothing in it.
        unfilled: the new columns that may not be null, and for which rows get no value.

    """

    file: Path
    differs: bool
    unfilled: list[str]


async def write_migration(
    database: Database, module: Migrations, tables: Sequence[Table], title: str
) -> Written:
    """Write a revision of a module into its package.

    Args:
        database: with the tables of the module, at its newest revision; it is not changed.
        module: whose revisions they are.
        tables: those that its models have.
        title: what the revision does, in a few words.

    Raises:
        InstalledCopy: the package is in the folder of installed packages.
        NotMigrated: the database is not at the newest revision.
        StartupError: the revisions that are there cannot be used.
        OSError: the folder is not writable.

    """
    folder = Path(next(iter(importlib.import_module(module.package).__path__)), "versions")
    if _INSTALLED & set(folder.parts):
        raise InstalledCopy(
            f"{module.package} is in {folder.parent}, where its next installation would remove the "
            "revision; install it from its source by `pip install --editable FOLDER`, then run "
            "this again."
        )
    before = None
    if _has_revisions(folder):
        before = histories_of([module])[module].get_current_head()
        if await pending(database, [module]):
            msg = f"The tables of {module.module} in {database} are not at their newest revision"
            raise NotMigrated(msg)
    async with database.reading() as session:
        connection = await session.connection()
        body, imports, unfilled = await connection.run_sync(_differences, module.module, tables)
    revision = _next(before)
    content = _FILE.substitute(
        title=title[:1].upper() + title[1:] + ("" if title.endswith((".", "!", "?")) else "."),
        imports="".join(f"{each}\n" for each in sorted(imports)),
        revision=revision,
        before=f'"{before}"' if before else None,
        body=body or "    pass",
    )
    return Written(_write(folder, revision, title, content), bool(body), unfilled)


def _has_revisions(folder: Path) -> bool:
    return any(folder.glob("[!_]*.py"))


def _write(folder: Path, revision: str, title: str, content: str) -> Path:
    folder.mkdir(exist_ok=True)
    words = re.sub(r"[^a-z0-9]+", "_", title.lower())[:40].strip("_")
    file = folder / f"{revision}_{words or 'change'}.py"
    with file.open("x", encoding="utf-8") as opened:
        opened.write(content)
    return file


def _next(revision: str | None) -> str:
    number = re.fullmatch(r"(.*?)(\d+)", revision or "0000")
    if number is None:
        return f"{revision}_2"
    return f"{number[1]}{int(number[2]) + 1:0{len(number[2])}}"


def _differences(
    connection: Connection, schema: str, tables: Sequence[Table]
) -> tuple[str, set[str], list[str]]:
    """Return the operations that make the tables what the models say, and what they import.

    Beside them are the new columns for which rows get no value.
    """
    if connection.dialect.name == "postgresql":
        # Foreign keys are shown with their schemas where none is the default one.
        connection.execute(text("SET LOCAL search_path = ''"))
    names = {(table.schema, table.name) for table in tables}
    targets = [key.target_fullname.split(".") for each in tables for key in each.foreign_keys]
    known = names | {(each[0], each[1]) for each in targets if len(each) == 3}
    connection = connection.execution_options(**{KNOWN_TABLES: known})
    imports: set[str] = set()

    def include(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == schema
        return kind != "table" or (parents["schema_name"], name) in names

    def include_object(item: Any, _name: str | None, kind: str, *_: Any) -> bool:
        return kind != "table" or (item.schema, item.name) in names

    def render(kind: str, item: Any, autogenerate: Any) -> Any:
        if kind != "type":
            return False
        if isinstance(item, postgresql.ENUM):
            return f"sa.Enum({', '.join(map(repr, item.enums))}, name={item.name!r})"
        if type(item).__module__.startswith("sqlalchemy.dialects.postgresql"):
            imports.add("from sqlalchemy.dialects import postgresql")
            return _POSTGRES.render_type(item, autogenerate) or f"postgresql.{item!r}"
        if not isinstance(item, TypeDecorator):
            return False
        if isinstance(item, AutoString):
            return f"sa.String({getattr(item.impl, 'length', None) or ''})"
        place, name = type(item).__module__, type(item).__name__
        imports.add(f"from {'modhost.database' if place == _TYPES else place} import {name}")
        return repr(item)

    options = {
        "include_schemas": True,
        "include_name": include,
        "include_object": include_object,
        "compare_type": is_changed_type,
    }
    context = MigrationContext.configure(connection, opts=options)
    operations = produce_migrations(context, _together(tables)).upgrade_ops
    if operations is None or operations.is_empty():
        return "", set(), []
    code = render_python_code(operations, render_item=render, migration_context=context)
    lines = _NOTE.sub("", f"    {code}")
    return lines.rstrip(), imports, list(_unfilled(operations))


def _unfilled(operations: OpContainer) -> Iterator[str]:
    """Yield the new columns of tables that are there, if they may not be null."""
    for each in operations.ops:
        if isinstance(each, OpContainer):
            yield from _unfilled(each)
        elif isinstance(each, AddColumnOp):
            column = each.column
            if not (column.nullable or column.server_default or column.identity or column.computed):
                yield f"{each.table_name}.{column.name}"


def _together(tables: Sequence[Table]) -> MetaData:
    """Return one metadata with the tables, and those that they refer to, of all registries."""
    found = list({id(each.metadata): each.metadata for each in tables}.values())
    if len(found) == 1:
        return found[0]
    together = MetaData()
    for table in (*tables, *(each for metadata in found for each in metadata.tables.values())):
        if table.key not in together.tables:
            table.to_metadata(together)
    return together
