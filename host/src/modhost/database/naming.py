"""Tables of modules: `schema.table` on PostgreSQL, `schema_table` on SQLite, which has no schemas.

The statements are written once, with schemas; on SQLite they are rewritten before they are sent.
"""

import re
from typing import Any

from sqlalchemy import Engine, event


class FlatNames:
    """Rewrites `schema.table` to `schema_table` for the schemas that it knows."""

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
        """Rewrite all that this engine sends."""

        def rewrite(
            _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
        ) -> tuple[str, Any]:
            return self.rewrite(statement), parameters

        event.listen(engine, "before_cursor_execute", rewrite, retval=True)
