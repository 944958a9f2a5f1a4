"""Alembic's operations on SQLite: what its `ALTER TABLE` lacks is done by copying the table.

Revisions are thereby written once: `op.alter_column` or `op.create_foreign_key` do on SQLite what
they do on PostgreSQL.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations import BatchOperations, Operations
from alembic.operations.batch import ApplyBatchImpl, BatchOperationsImpl
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Column, Connection, Constraint, Table, inspect
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.exc import OperationalError

from modhost.database.migrations.named_types import named_type
from modhost.database.migrations.sqlite_copying import TableCopy, wanted_changes
from modhost.database.sqlite.dialect import flat_name


class SqliteOperations(Operations):
    """The `op` of a revision on SQLite."""

    @classmethod
    @contextmanager
    def over(cls, context: MigrationContext, connection: Connection) -> Iterator[None]:
        """Let `alembic.op` be these operations."""
        context.impl = implementation = _Implementation(
            context.dialect,
            connection,
            as_sql=context.as_sql,
            transactional_ddl=True,
            output_buffer=None,
            context_opts=context.opts,
        )
        implementation.operations = operations = cls(context)
        # `alembic.op` is set up for its own class.
        cls._setups[cls] = cls._setups[Operations]
        operations._install_proxy()
        try:
            yield
        finally:
            operations._remove_proxy()

    @contextmanager
    def batch_alter_table(
        self, table_name: str, schema: str | None = None, *settings: Any, **more: Any
    ) -> Iterator[BatchOperations]:
        """Gather operations on one table, and apply them at the end; as alembic describes it."""
        batch = TableCopy(self, table_name, schema, *settings, **more)
        yield BatchOperations(self.migration_context, impl=batch)
        batch.flush()


class _Implementation(SQLiteImpl):
    """What the operations do."""

    operations: SqliteOperations
    connection: Connection

    def create_table(self, table: Table, **settings: Any) -> None:
        """Create a table."""
        for column in table.columns:
            if isinstance(domain := named_type(column.type), DOMAIN):
                domain.create_type = False
        super().create_table(table, **settings)

    def rename_table(
        self, old_table_name: str, new_table_name: str, schema: str | None = None
    ) -> None:
        """Rename a table within its schema."""
        super().rename_table(flat_name(schema, old_table_name), flat_name(schema, new_table_name))

    def add_column(self, table_name: str, column: Column[Any], **settings: Any) -> None:
        """Add a column."""
        table, schema = self._table(table_name, settings)
        if settings.pop("if_not_exists", None) and column.name in self._columns(table):
            return
        if not self._succeeds(lambda: super(_Implementation, self).add_column(table, column)):
            with self._copied(table_name, schema) as copy:
                copy.add_column(table, column)

    def drop_column(self, table_name: str, column: Column[Any], **settings: Any) -> None:
        """Drop a column, with its indexes and the keys that it is part of."""
        table, schema = self._table(table_name, settings)
        if settings.pop("if_exists", None) and column.name not in self._columns(table):
            return
        self._require(table, column.name)
        if not self._succeeds(lambda: super(_Implementation, self).drop_column(table, column)):
            with self._copied(table_name, schema) as copy:
                copy.drop_column(table, column, **settings)

    def alter_column(self, table_name: str, column_name: str, **changes: Any) -> None:
        """Change a column: only its name without copying the table."""
        table, schema = self._table(table_name, changes)
        changes.pop("comment", None)
        wanted = wanted_changes(changes)
        if wanted == {"name"}:
            super().alter_column(table, column_name, name=changes["name"])
        elif wanted:
            self._require(table, column_name)
            with self._copied(table_name, schema) as copy:
                copy.alter_column(table, column_name, **changes)

    def add_constraint(self, const: Constraint, **_settings: Any) -> None:
        """Add a constraint."""
        if const._create_rule is None or const._create_rule(self):
            with self._copied(const.table.name, const.table.schema) as copy:
                copy.add_constraint(const)

    def drop_constraint(self, const: Constraint, **_settings: Any) -> None:
        """Drop a constraint."""
        with self._copied(const.table.name, const.table.schema) as copy:
            copy.drop_constraint(const)

    def prep_table_for_batch(self, batch_impl: ApplyBatchImpl, table: Table) -> None:
        """Leave out of a copy what SQLite computes itself."""
        for name, column in batch_impl.columns.items():
            if column.computed is not None:
                batch_impl.column_transfers[name].pop("expr", None)

    def create_table_comment(self, table: Table) -> None:
        """Do nothing: SQLite has no comments."""

    def drop_table_comment(self, table: Table) -> None:
        """Do nothing: SQLite has no comments."""

    def create_column_comment(self, column: Column[Any]) -> None:
        """Do nothing: SQLite has no comments."""

    @contextmanager
    def _copied(self, table: str, schema: str | None) -> Iterator[BatchOperationsImpl]:
        copy = TableCopy(self.operations, table, schema, "always")
        yield copy
        copy.flush()

    def _succeeds(self, change: Callable[[], None]) -> bool:
        try:
            with self.connection.begin_nested():
                change()
        except OperationalError:
            return False
        return True

    def _require(self, table: str, column: str) -> None:
        if column not in self._columns(table):
            raise CommandError(f"The table {table} has no column {column}")

    def _columns(self, table: str) -> set[str]:
        return {each["name"] for each in inspect(self.connection).get_columns(table)}

    @staticmethod
    def _table(table: str, settings: dict[str, Any]) -> tuple[str, str | None]:
        schema: str | None = settings.pop("schema", None)
        return flat_name(schema, table), schema
