"""SQLAlchemy's SQLite with schemas of modules: the table `shop.books` is `shop_books` in the file.

Names are put together where SQLAlchemy writes and reads identifiers, so that values, and statements
that are text, are never touched.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

from sqlalchemy import Connection, Index
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.dialects.sqlite.base import (
    SQLiteCompiler,
    SQLiteDDLCompiler,
    SQLiteDialect,
    SQLiteIdentifierPreparer,
)

DRIVER: Final = "sqlite+modhost"
KNOWN_TABLES: Final = "modhost_known_tables"
"""The execution option with schemas and names of tables that there are."""
_VERSIONS: Final = "_alembic_version"


def flat_name(schema: str | None, table: str) -> str:
    """Return the name that a table, or a view, of a schema has in the file."""
    return f"{schema}_{table}" if schema else table


class _Preparer(SQLiteIdentifierPreparer):
    def format_table(self, table: Any, use_schema: bool = True, name: str | None = None) -> str:  # noqa: FBT001, FBT002
        """Return a table's name; an index, too, is created on a table with its schema."""
        schema = self.schema_for_object(table)
        return self.quote(flat_name(schema, name or table.name))

    def format_table_seq(self, table: Any, use_schema: bool = True) -> tuple[str, ...]:  # noqa: FBT001, FBT002
        """Return a table's name as its only part."""
        return (self.format_table(table),)


class _Compiler(SQLiteCompiler):
    def visit_column(
        self,
        column: Any,
        add_to_result_map: Any = None,
        include_table: bool = True,  # noqa: FBT001, FBT002
        *args: Any,
        **kw: Any,
    ) -> str:
        """Write a column with its table's name."""
        table = column.table
        is_flat = include_table and table is not None and self._has_schema(table)
        name = super().visit_column(
            column, add_to_result_map, include_table and not is_flat, *args, **kw
        )
        return f"{self.preparer.format_table(table)}.{name}" if is_flat else name

    def visit_table(self, table: Any, *args: Any, **kw: Any) -> Any:
        """Write a table among those that a statement reads or changes."""
        written = super().visit_table(table, *args, **kw)  # type: ignore[no-untyped-call]
        return self.preparer.format_table(table) if written and self._has_schema(table) else written

    def _has_schema(self, table: Any) -> bool:
        return bool(table.named_with_column and self.preparer.schema_for_object(table))


class _DDLCompiler(SQLiteDDLCompiler):
    def visit_foreign_key_constraint(self, constraint: Any, **kw: Any) -> Any:
        """Write a foreign key, to a table of another schema too: all are in one file."""
        return super(SQLiteDDLCompiler, self).visit_foreign_key_constraint(constraint, **kw)

    def _prepared_index_name(self, index: Index, include_schema: bool = False) -> str:  # noqa: FBT001, FBT002
        return super()._prepared_index_name(index, include_schema=False)


def _flattened(reflect: Callable[..., Any]) -> Callable[..., Any]:
    """Let what reflects a table of SQLite take one of a schema."""

    def flattened(
        self: SQLiteDialect, connection: Connection, name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        return reflect(self, connection, flat_name(schema, name), **kw)

    return flattened


def _within(reflect: Callable[..., Any]) -> Callable[..., Any]:
    """Let what lists the tables, or the views, of SQLite list those of a schema."""

    def within(
        self: SQLiteDialect, connection: Connection, schema: str | None = None, **kw: Any
    ) -> list[str]:
        prefix = flat_name(schema, "")
        names = reflect(self, connection, **kw)
        return [each.removeprefix(prefix) for each in names if each.startswith(prefix)]

    return within


_unique_constraints: Final = _flattened(SQLiteDialect.get_unique_constraints)
_foreign_keys: Final = _flattened(SQLiteDialect.get_foreign_keys)


class ModulesDialect(SQLiteDialect_aiosqlite):
    """SQLite over aiosqlite, where a schema is the first part of a table's name."""

    supports_statement_cache = True
    preparer = _Preparer
    statement_compiler = _Compiler
    ddl_compiler = _DDLCompiler

    has_table = _flattened(SQLiteDialect.has_table)
    get_columns = _flattened(SQLiteDialect.get_columns)
    get_pk_constraint = _flattened(SQLiteDialect.get_pk_constraint)
    get_check_constraints = _flattened(SQLiteDialect.get_check_constraints)
    get_indexes = _flattened(SQLiteDialect.get_indexes)
    get_table_options = _flattened(SQLiteDialect.get_table_options)
    get_view_definition = _flattened(SQLiteDialect.get_view_definition)
    get_table_names = _within(SQLiteDialect.get_table_names)
    get_view_names = _within(SQLiteDialect.get_view_names)

    def get_schema_names(self, connection: Connection, **kw: Any) -> list[str]:
        """Return the modules that have a history of migrations."""
        names = self.get_table_names(connection, **kw)
        return [each.removesuffix(_VERSIONS) for each in names if each.endswith(_VERSIONS)]

    def get_unique_constraints(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        """Return what is unique; in a schema under the name that PostgreSQL would give it."""
        found = _unique_constraints(self, connection, table_name, schema, **kw)
        if schema is None:
            return found
        return [
            {**each, "name": each["name"] or "_".join([table_name, *each["column_names"], "key"])}
            for each in found
        ]

    def get_foreign_keys(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        """Return the foreign keys; those of a table in a schema as PostgreSQL would name them.

        `shop_order_items` may be of `shop` and of `shop_order`: the option `KNOWN_TABLES` of the
        connection decides, else it is of the same schema, or of the one with the longest name.
        """
        found = _foreign_keys(self, connection, table_name, schema, **kw)
        if schema is None:
            return found
        others = sorted(self.get_schema_names(connection, **kw), key=len, reverse=True)
        known = connection.get_execution_options().get(KNOWN_TABLES, ())
        return [_in_schemas(each, table_name, [schema, *others], known) for each in found]

    def _get_default_schema_name(self, connection: Connection) -> Any:
        # SQLAlchemy's own is `main`, which a module may be named.
        return None


def _in_schemas(
    key: dict[str, Any], table: str, schemas: list[str], known: Collection[tuple[str | None, str]]
) -> dict[str, Any]:
    flat = key["referred_table"]
    owners = [each for each in schemas if flat.startswith(f"{each}_")]
    sure = [each for each in owners if (each, flat.removeprefix(f"{each}_")) in known]
    owner = next(iter(sure or owners), None)
    return {
        **key,
        "name": key["name"] or "_".join([table, *key["constrained_columns"], "fkey"]),
        "referred_schema": owner,
        "referred_table": flat.removeprefix(flat_name(owner, "")),
    }


registry.register("sqlite.modhost", __name__, ModulesDialect.__name__)
