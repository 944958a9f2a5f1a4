"""What the role of a PostgreSQL host may not do, though the host needs it, and what grants it."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text

from modhost.checks import Finding, rules
from modhost.database import Database

_EVERYTHING: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
_LESS: Final = {(None, "alembic_version"): ("SELECT",), ("modhost", "audit"): ("SELECT", "INSERT")}
"""The tables of which a host reads rows or adds some; the former are in all schemas."""

_ROLE: Final = text("SELECT current_user, quote_ident(current_user)")
_CLOSED_SCHEMAS: Final = text("""
SELECT nspname, quote_ident(nspname) AS quoted FROM pg_namespace
WHERE nspname = ANY(:schemas) AND NOT has_schema_privilege(oid, 'USAGE')
ORDER BY nspname
""")
_TABLES: Final = text("""
SELECT n.nspname, c.relname, format('%I.%I', n.nspname, c.relname) AS quoted, ARRAY(
    SELECT privilege FROM unnest(CAST(:privileges AS text[])) AS privilege
    WHERE NOT has_table_privilege(c.oid, privilege)
) AS missing
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p')
ORDER BY n.nspname, c.relname
""")


async def check_rights(database: Database, schemas: Sequence[str]) -> list[Finding]:
    """Return a finding for the rights that the role lacks on schemas and their tables.

    The catalog answers this to every role. A SQLite file has no roles.
    """
    if database.dialect == "sqlite":
        return []
    async with database.reading() as session:
        connection = await session.connection()
        role, grantee = (await connection.execute(_ROLE)).one()
        closed = (await connection.execute(_CLOSED_SCHEMAS, {"schemas": schemas})).all()
        values = {"schemas": schemas, "privileges": list(_EVERYTHING)}
        tables = (await connection.execute(_TABLES, values)).all()
    findings = [
        _finding(schema, role, grantee, f"SCHEMA {quoted}", ("USAGE",)) for schema, quoted in closed
    ]
    lacking: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for schema, table, quoted, missing in tables:
        needed = _LESS.get((schema, table)) or _LESS.get((None, table)) or _EVERYTHING
        if rights := tuple(each for each in needed if each in missing):
            lacking.setdefault((schema, rights), []).append(quoted)
    return findings + [
        _finding(schema, role, grantee, ", ".join(quoted), rights)
        for (schema, rights), quoted in lacking.items()
    ]


def _finding(
    schema: str, role: str, grantee: str, objects: str, rights: tuple[str, ...]
) -> Finding:
    named = ", ".join(rights)
    detail = f"the role {role!r} lacks {named} on {objects.removeprefix('SCHEMA ')}."
    remedy = f"Run as their owner: GRANT {named} ON {objects} TO {grantee};"
    return Finding(rules.MISSING_RIGHT, detail, remedy, schema)
