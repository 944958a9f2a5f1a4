"""Schemas of modules: their revisions, and the names of their tables on either database.

Tables are `schema.table` on PostgreSQL and `schema_table` on SQLite, which has no schemas.
Statements are written once, with schemas; on SQLite they are rewritten before they are sent.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event


@dataclass(frozen=True, slots=True)
class Migrations:
    """The revisions of one module: those in the folder `versions/` of a package."""

    module: str
    package: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A module whose tables are behind; `current` is None before its first migration."""

    module: str
    current: str | None
    wanted: str


class FlatNames:
    """Rewrite `schema.table` to `schema_table` for known schemas."""

    def __init__(self) -> None:
        self._schemas: set[str] = set()
        self._tables = re.compile(r"(?!)")
        self._indexes = re.compile(r"(?!)")
        self._rewritten: dict[str, str] = {}

    def know(self, schema: str) -> None:
        """Rewrite this schema too."""
        self._schemas.add(schema)
        names = "|".join(sorted(self._schemas))
        self._tables = re.compile(rf"\b({names})\.(?=\w)")
        # SQLite qualifies the index instead of the table.
        self._indexes = re.compile(rf"( INDEX (?:IF NOT EXISTS )?)({names})\.(\w+) ON ")
        self._rewritten.clear()

    def rewrite(self, statement: str) -> str:
        """Return the statement for SQLite."""
        known = self._rewritten.get(statement)
        if known is None:
            indexed = self._indexes.sub(r"\1\3 ON \2_", statement)
            known = self._tables.sub(r"\1_", indexed)
            if len(self._rewritten) < 1000:
                self._rewritten[statement] = known
        return known

    def apply_to(self, engine: Engine) -> None:
        """Rewrite all statements of an engine."""

        def rewrite(
            _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
        ) -> tuple[str, Any]:
            return self.rewrite(statement), parameters

        event.listen(engine, "before_cursor_execute", rewrite, retval=True)
