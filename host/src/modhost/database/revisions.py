"""Revisions of tables: where a module has them, and how far a database is behind."""

from dataclasses import dataclass

from modhost.database.errors import DatabaseError


class UnknownRevision(DatabaseError):
    """The database is at a revision that this version of a module does not have."""


@dataclass(frozen=True, slots=True)
class Migrations:
    """The revisions of one module: those in the folder `versions/` of a package."""

    module: str
    package: str


@dataclass(frozen=True, slots=True)
class Pending:
    """What a module's tables lack; `current` is None before its first migration."""

    module: str
    current: str | None
    wanted: str
