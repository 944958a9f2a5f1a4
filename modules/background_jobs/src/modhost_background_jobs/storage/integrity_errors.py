"""Telling errors that say what became of a statement from those that leave it open."""

import sqlite3
from typing import Final

_DATA_AND_CONSTRAINTS: Final = ("22", "23")


def is_integrity_error(error: BaseException) -> bool:
    """Tell whether the database, or its driver, refused the values, and so has stored nothing.

    After any other error the statement may have been committed all the same.
    """
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, ValueError)):
        return True
    return str(getattr(error, "sqlstate", None))[:2] in _DATA_AND_CONSTRAINTS
