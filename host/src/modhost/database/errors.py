"""What can be wrong with a database, with what to do about it; no message shows a password."""

import sqlite3
import ssl
from typing import Final

from modhost.checks import Finding, rules
from modhost.database.failures import sqlstate_of
from modhost.failures import driver_error
from modhost.failures.description import REMEDIES


class DatabaseError(Exception):
    """Base of the errors of the host's database layer."""


class BadDatabaseUrl(DatabaseError, ValueError):
    """The URL is malformed, or names a database that the host cannot use."""


class DatabaseUnreachable(DatabaseError):
    """The database cannot be opened, or does not answer.

    Args:
        message: the cause, as a sentence.
        remedy: what to do about it, as a sentence.
        may_pass: whether it may work later, without anybody's doing.

    """

    def __init__(self, message: str, remedy: str, *, may_pass: bool = False) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.may_pass = may_pass


class UnreadableValue(DatabaseError, ValueError):
    """Something that only another program can have written: a text where a time should be."""


class UnknownRevision(DatabaseError):
    """The database is at a revision that the installed version of a module does not have."""


class ForeignKeyViolated(DatabaseError):
    """A revision has left rows that refer to rows that are not there."""


FILE_REMEDY: Final = (
    "Check [host] database_url, and that the file and its folder exist and are writable."
)
_SERVER_REMEDY: Final = "Check [host] database_url, and that the server runs and can be reached."
_TLS_REMEDY: Final = (
    "Check sslmode and the certificates that [host] database_url names, and that of the server."
)
_CONTENT_REMEDY: Final = "Run `modhost doctor` to find out what is wrong with it."
_VALUE_REMEDY: Final = "Fix that row, or restore a backup."
_SQLITE_REMEDIES: Final = {
    sqlite3.SQLITE_NOTADB: "Name another file by [host] database_url, or restore a backup: "
    "`modhost restore FROM`.",
    sqlite3.SQLITE_CORRUPT: "Restore a backup: `modhost restore FROM`.",
    sqlite3.SQLITE_BUSY: "Another process holds it for too long; stop that, and try again.",
    sqlite3.SQLITE_FULL: "Free space on the disk.",
    sqlite3.SQLITE_ERROR: _CONTENT_REMEDY,
}


def finding_of(error: Exception) -> Finding:
    """Return the finding for a failure of the database."""
    if isinstance(error, UnknownRevision):
        return Finding(rules.PENDING_MIGRATIONS, str(error), "")
    return Finding(rules.DATABASE_UNREACHABLE, reason_of(error), remedy_of(error))


def reason_of(error: BaseException) -> str:
    """Return the driver's message as a sentence, without the statement that SQLAlchemy adds."""
    original = driver_error(error)
    words = str(original).strip()
    reason = words.splitlines()[0].rstrip() if words else type(original).__name__
    return reason if reason.endswith(".") else f"{reason}."


def remedy_of(error: Exception) -> str:
    """Return what to do about a failure of the database, as a sentence."""
    if isinstance(error, DatabaseUnreachable):
        return error.remedy
    if isinstance(error, UnreadableValue | OverflowError):
        return _VALUE_REMEDY
    original = driver_error(error)
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return _SQLITE_REMEDIES.get(code & 0xFF, FILE_REMEDY)
    if isinstance(original, ssl.SSLError):
        return _TLS_REMEDY
    if remedy := REMEDIES.get(sqlstate_of(original)):
        return remedy
    # Class 42: the server works, and what it was asked for is missing or not allowed.
    is_content = sqlstate_of(original).startswith("42")
    return _CONTENT_REMEDY if is_content else _SERVER_REMEDY
