"""What a role of PostgreSQL lacks to migrate, and what grants it."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, text

from modhost.checks import Finding, rules

_ROLE: Final = text(
    "SELECT CAST(current_user AS text) AS role, quote_ident(current_user) AS grantee, "
    "current_database() AS database, quote_ident(current_database()) AS quoted, "
    "has_database_privilege(current_database(), 'CREATE') AS may_create"
)
_SCHEMAS: Final = text("""
SELECT wanted.name, quote_ident(wanted.name) AS quoted, n.oid IS NOT NULL AS is_there,
    n.oid IS NOT NULL AND has_schema_privilege(n.oid, 'CREATE') AS may_create
FROM unnest(CAST(:schemas AS text[])) AS wanted(name)
LEFT JOIN pg_namespace n ON n.nspname = wanted.name
ORDER BY wanted.name
""")
_OF_OTHERS: Final = text("""
SELECT n.nspname AS schema, pg_get_userbyid(c.relowner) AS owner,
    quote_ident(pg_get_userbyid(c.relowner)) AS quoted
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p') AND NOT pg_has_role(c.relowner, 'USAGE')
GROUP BY 1, 2, 3 ORDER BY 1, 2
""")
_OTHERWISE: Final = "Run `modhost migrate` by a role that may, or as the owner: GRANT"


def rights_to_migrate(connection: Connection, schemas: Sequence[str]) -> list[Finding]:
    """Return a finding for each right that the role may need to migrate these schemas, and lacks.

    A SQLite file has no roles.
    """
    if connection.dialect.name == "sqlite":
        return []
    own = connection.execute(_ROLE).one()
    there = connection.execute(_SCHEMAS, {"schemas": list(schemas)}).all()
    findings = []
    absent = [each.name for each in there if not each.is_there]
    if absent and not own.may_create:
        detail = f"the role {own.role!r} lacks CREATE on the database {own.database}, which has no "
        detail += f"schema {' and no schema '.join(absent)} yet."
        remedy = f"{_OTHERWISE} CREATE ON DATABASE {own.quoted} TO {own.grantee};"
        findings.append(Finding(rules.MISSING_RIGHT, detail, remedy))
    for each in there:
        if each.is_there and not each.may_create:
            detail = f"the role {own.role!r} lacks CREATE on the schema {each.name}."
            remedy = f"{_OTHERWISE} USAGE, CREATE ON SCHEMA {each.quoted} TO {own.grantee};"
            findings.append(Finding(rules.MISSING_RIGHT, detail, remedy, each.name))
    for each in connection.execute(_OF_OTHERS, {"schemas": list(schemas)}).all():
        detail = f"tables of {each.schema} belong to {each.owner!r}, and the role {own.role!r} "
        detail += "cannot change them."
        remedy = f"{_OTHERWISE} {each.quoted} TO {own.grantee};"
        findings.append(Finding(rules.MISSING_RIGHT, detail, remedy, each.schema))
    return findings
