"""A failure of the database in words for operators: what it said, and what to do."""

import re
import sqlite3
from typing import Final

from modhost.checks import Finding, rules
from modhost.database.errors import DatabaseUnreachable, UnreadableValue

FILE_REMEDY: Final = (
    "Check [host] database_url, and that the file and its folder are there and may be written."
)
_SERVER_REMEDY: Final = "Check [host] database_url, and that the server runs and can be reached."
_CONTENT_REMEDY: Final = "`modhost doctor` tells what is wrong with it."
_VALUE_REMEDY: Final = "Mend that row, or restore a backup."
_SQLITE_REMEDIES: Final = {
    sqlite3.SQLITE_NOTADB: "Name another file by [host] database_url, or restore a backup.",
    sqlite3.SQLITE_CORRUPT: "Restore a backup.",
    sqlite3.SQLITE_BUSY: "Another process holds it for long; end that, and try again.",
    sqlite3.SQLITE_FULL: "Make room on the disk.",
    sqlite3.SQLITE_ERROR: _CONTENT_REMEDY,
}
_DRIVER_CLASS: Final = re.compile(r"^<class '[^']+'>: ")


def finding_of(error: Exception) -> Finding:
    """Return the finding for a database that could not do what it was asked for."""
    return Finding(rules.DATABASE_UNREACHABLE, reason_of(error), remedy_of(error))


def reason_of(error: Exception) -> str:
    """Return the driver's own words as a sentence, without the statement that SQLAlchemy adds."""
    words = _DRIVER_CLASS.sub("", str(_original(error)).strip())
    reason = words.splitlines()[0].rstrip() if words else type(error).__name__
    return reason if reason.endswith(".") else f"{reason}."


def remedy_of(error: Exception) -> str:
    """Return what to do about it, as a sentence."""
    if isinstance(error, DatabaseUnreachable):
        return error.remedy
    if isinstance(error, UnreadableValue | OverflowError):
        return _VALUE_REMEDY
    original = _original(error)
    if isinstance(original, sqlite3.Error):
        return _SQLITE_REMEDIES.get(_primary_code(original), FILE_REMEDY)
    # Class 42: the server is well, and what it was asked about is missing or not allowed.
    is_content = str(getattr(original, "sqlstate", "")).startswith("42")
    return _CONTENT_REMEDY if is_content else _SERVER_REMEDY


def _original(error: Exception) -> BaseException:
    """Return what the driver raised, which SQLAlchemy wraps."""
    return getattr(error, "orig", None) or error


def _primary_code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
