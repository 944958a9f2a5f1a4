"""Copy a table of SQLite to one of another shape, with what alembic leaves behind."""

import warnings
from collections.abc import Mapping
from itertools import count
from typing import Any, Final, Literal

from alembic.operations import Operations
from alembic.operations.batch import BatchOperationsImpl
from sqlalchemy import (
    CheckConstraint,
    Connection,
    Constraint,
    ForeignKeyConstraint,
    Table,
    UniqueConstraint,
    inspect,
    text,
)
from sqlalchemy.exc import OperationalError, SAWarning
from sqlalchemy.schema import ColumnCollectionConstraint, conv

from modhost.database.sqlite.dialect import flat_name

_SUFFIXES: Final = {
    ForeignKeyConstraint: "fkey",
    UniqueConstraint: "key",
    CheckConstraint: "check",
}
_SETTINGS: Final = ("onupdate", "ondelete", "deferrable", "initially", "match")
_BESIDE: Final = text(
    "SELECT name, sql FROM sqlite_master "
    "WHERE tbl_name = :table AND type IN ('index', 'trigger') AND sql IS NOT NULL"
)


class TableCopy(BatchOperationsImpl):
    """The changes of one table.

    Constraints without a name have the one that PostgreSQL would give them, so that a revision can
    drop them on both; unnamed checks are thereby kept. Arguments are those of alembic's
    `batch_alter_table`.
    """

    def __init__(
        self,
        operations: Operations,
        table: str,
        schema: str | None,
        recreate: Literal["auto", "always", "never"] = "auto",
        partial_reordering: Any = (),
        copy_from: Any = None,
        table_args: Any = (),
        table_kwargs: Any = (),
        reflect_args: Any = (),
        reflect_kwargs: Any = (),
        naming_convention: Any = None,
    ) -> None:
        self._table = table
        super().__init__(  # type: ignore[no-untyped-call]
            operations,
            flat_name(schema, table),
            None,
            recreate,
            copy_from,
            table_args,
            dict(table_kwargs),
            reflect_args,
            # Tables that are referred to are not copied, and need not even exist.
            {"resolve_fks": False, **dict(reflect_kwargs)},
            naming_convention or _convention(table),
            partial_reordering,
        )

    def add_constraint(self, const: Constraint) -> None:
        """Add a constraint."""
        suffix = _SUFFIXES.get(type(const))
        if const.name is None and suffix and isinstance(const, ColumnCollectionConstraint):
            const.name = conv("_".join([self._table, *const.columns.keys(), suffix]))
        if isinstance(const, ForeignKeyConstraint):
            const = self._flattened(const)
        super().add_constraint(const)

    def alter_column(self, table_name: str, column_name: str, **changes: Any) -> None:
        """Change a column; SQLite itself renames it, in checks, triggers and views, too."""
        name = changes.pop("name", None)
        if name not in (None, column_name):
            if self.batch:
                self.flush()
                self.batch.clear()
            self._rename(column_name, name)
            column_name = name
        if wanted_changes(changes):
            super().alter_column(table_name, column_name, **changes)

    def _rename(self, column: str, name: str) -> None:
        quote = self.operations.get_bind().dialect.identifier_preparer.quote
        table, old, new = quote(self.table_name), quote(column), quote(name)
        self.operations.get_bind().exec_driver_sql(
            f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}"
        )

    def flush(self) -> None:
        """Apply the changes, and keep the indexes and triggers that alembic does not copy."""
        connection = self.operations.get_bind()
        dropped = {arguments[1].name for what, arguments, _ in self.batch if what == "drop_column"}
        with warnings.catch_warnings():
            # Indexes of expressions are not reflected, but kept below.
            warnings.simplefilter("ignore", SAWarning)
            if dropped:
                self._drop_indexes_of(dropped, connection)
            before = connection.execute(_BESIDE, {"table": self.table_name}).all()
            super().flush()
        after = set(connection.execute(_BESIDE, {"table": self.table_name}).scalars())
        removed = {arguments[0].name for what, arguments, _ in self.batch if what == "drop_index"}
        for name, statement in before:
            if name not in after | removed:
                _restore(connection, statement, dropped)

    def _flattened(self, key: ForeignKeyConstraint) -> ForeignKeyConstraint:
        """Return a foreign key between tables by their names in the file, as the copy has them."""
        targets = [each.target_fullname.rpartition(".") for each in key.elements]
        schema, _, table = targets[0][0].rpartition(".")
        flat: ForeignKeyConstraint = self.operations.schema_obj.foreign_key_constraint(
            key.name,
            self.table_name,
            flat_name(schema, table),
            key.column_keys,
            [column for _, _, column in targets],
            **{name: getattr(key, name) for name in _SETTINGS},
        )
        return flat

    def _drop_indexes_of(self, columns: set[str], connection: Connection) -> None:
        for index in inspect(connection).get_indexes(self.table_name):
            if columns.intersection(index["column_names"]):
                name = connection.dialect.identifier_preparer.quote(str(index["name"]))
                connection.exec_driver_sql(f"DROP INDEX {name}")


def wanted_changes(changes: Mapping[str, Any]) -> set[str]:
    """Return what changes of a column; a default that stays is False, anything else None."""
    return {
        name
        for name, value in changes.items()
        if not name.startswith(("existing_", "postgresql_"))
        and value is not (False if name == "server_default" else None)
    }


def _restore(connection: Connection, statement: str, dropped: set[str]) -> None:
    """Create an index or a trigger again, but for an index of a column that is dropped."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except OperationalError as error:
        if str(error.orig).removeprefix("no such column: ") not in dropped:
            raise


def _convention(table: str) -> dict[str, Any]:
    """Return the names that PostgreSQL gives to constraints without one."""
    checks = count()

    def check(_constraint: Constraint, _table: Table) -> str:
        return f"{table}_check{next(checks) or ''}"

    return {
        "pk": f"{table}_pkey",
        "fk": f"{table}_%(column_0_N_name)s_fkey",
        "uq": f"{table}_%(column_0_N_name)s_key",
        "ck": "%(unnamed_check)s",
        "unnamed_check": check,
    }
