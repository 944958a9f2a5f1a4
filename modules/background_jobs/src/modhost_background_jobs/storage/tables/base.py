"""The schema of this module's tables, and how their indexes are named."""

from typing import Any, Final

from sqlalchemy import Index, MetaData, String, Table, TextClause, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

SCHEMA: Final = "background_jobs"
KeyText: Final = String().with_variant(String(collation="C"), "postgresql")
"""A text whose beginnings are ranges of an index, as they always are on SQLite."""


class BackgroundJobsTable(SQLModel, registry=registry(metadata=MetaData(schema=SCHEMA))):
    """Base of this module's tables, in a schema and a registry of their own."""


def index(
    name: str, *columns: str | TextClause, where: str | None = None, unique: bool = False
) -> Index:
    """Return an index, of the rows for which a condition holds if one is given."""
    condition: Any = None if where is None else text(where)
    return Index(
        f"ix_background_jobs_{name}",
        *columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def table(name: str) -> Table:
    """Return one of this module's tables."""
    return BackgroundJobsTable.metadata.tables[f"{SCHEMA}.{name}"]
