"""Alembic's operations on PostgreSQL: types with a name are in the schema of their table.

There the models expect them. Alembic makes them in the default schema, where the types of all
modules meet, once more for each table, and not at all for a column that is added or changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Enum, Table
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.types import TypeEngine

from modhost.database.migrations.named_types import named_type


@contextmanager
def postgres_operations(context: MigrationContext, connection: Connection) -> Iterator[None]:
    """Let `alembic.op` be these operations."""
    context.impl = _Implementation(
        context.dialect,
        connection,
        as_sql=context.as_sql,
        transactional_ddl=True,
        output_buffer=None,
        context_opts=context.opts,
    )
    with Operations.context(context):
        yield


class _Implementation(PostgresqlImpl):
    """What the operations do."""

    connection: Connection

    def create_table(self, table: Table, **settings: Any) -> None:
        """Create a table."""
        for column in table.columns:
            self._create_type(column.type, table.schema)
        super().create_table(table, **settings)

    def add_column(
        self, table_name: str, column: Column[Any], *, schema: str | None = None, **settings: Any
    ) -> None:
        """Add a column."""
        self._create_type(column.type, schema)
        super().add_column(table_name, column, schema=schema, **settings)

    def alter_column(
        self,
        table_name: str,
        column_name: str,
        *,
        type_: TypeEngine[Any] | None = None,
        schema: str | None = None,
        **settings: Any,
    ) -> None:
        """Change a column."""
        enumeration = self._create_type(type_, schema)
        if enumeration is not None:
            self._add_values(enumeration)
        if isinstance(type_, Enum) and type_.create_constraint and not type_.native_enum:
            self._drop_check(type_, table_name, schema)
        super().alter_column(table_name, column_name, type_=type_, schema=schema, **settings)

    def _create_type(self, type_: TypeEngine[Any] | None, schema: str | None) -> Enum | None:
        """Create a type that has a name, unless it is there, and return it if it has values."""
        named = named_type(type_)
        if named is None:
            return None
        named.schema = named.schema or schema
        if named.create_type:
            created = named
            if isinstance(named, Enum):
                created = ENUM(*named.enums, name=named.name, schema=named.schema)
            created.create(self.connection, checkfirst=True)
            named.create_type = False
        return named if isinstance(named, Enum) else None

    def _drop_check(self, type_: Enum, table: str, schema: str | None) -> None:
        """Drop the check of an enumeration that is stored as text: another one replaces it."""
        quote = self.dialect.identifier_preparer.quote
        name = ".".join(quote(part) for part in (schema, table) if part)
        check = quote(str(type_.name))
        self.connection.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {check}")

    def _add_values(self, type_: Enum) -> None:
        """Add the values that an enumeration did not have when its type was created."""
        quote = self.dialect.identifier_preparer.quote
        name = ".".join(quote(part) for part in (type_.schema, type_.name) if part)
        for value in type_.enums:
            # Neither names nor values can be bound here.
            written = value.replace("'", "''")
            statement = f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS '{written}'"
            self.connection.exec_driver_sql(statement)
