"""What an error is called in the log, and what to do about it; every kind of error has words."""

import re
import sqlite3
from typing import Final

_MAX_CHARACTERS: Final = 300
_DRIVERS: Final = frozenset({"asyncpg", "aiosqlite", "sqlalchemy"})
_DRIVER_CLASS: Final = re.compile(r"^<class '[^']+'>: ")

_IS_POOLED: Final = (
    "A pooler in transaction mode is ahead of the server: add ?statement_cache_size=0 to "
    "[host] database_url."
)
REMEDIES: Final = {
    "42501": "Grant it to the role of [host] database_url: `modhost doctor` names what is missing.",
    "26000": _IS_POOLED,
    "42P05": _IS_POOLED,
}
"""What to do about errors of PostgreSQL that no wait fixes, by their SQLSTATE."""


def describe(error: BaseException) -> str:
    """Return the kind of an error and its first line, for the log: no error is without words."""
    original = driver_error(error)
    text = _DRIVER_CLASS.sub("", str(original).strip())
    line = text.splitlines()[0].strip() if text else ""
    if len(line) > _MAX_CHARACTERS:
        line = line[: _MAX_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    kind = type(original).__name__
    return f"{kind}: {line}" if line else kind


def driver_error(error: BaseException) -> BaseException:
    """Return what the driver raised, which SQLAlchemy wraps, twice for asyncpg."""
    original = getattr(error, "orig", None) if _package_of(error) == "sqlalchemy" else None
    if not isinstance(original, BaseException):
        original = error
    is_wrapped = _package_of(original) == "sqlalchemy" and original.__cause__ is not None
    return original.__cause__ or original if is_wrapped else original


def remedy_of(error: BaseException) -> str:
    """Return what to do about an error of PostgreSQL that no wait fixes; nothing for others."""
    return REMEDIES.get(str(getattr(driver_error(error), "sqlstate", "")), "")


def is_outage(error: BaseException) -> bool:
    """Return whether an error is one of a database or of the network, and not of the code."""
    if getattr(error, "may_pass", False):
        return True
    return isinstance(error, OSError | EOFError | sqlite3.Error) or _package_of(error) in _DRIVERS


def _package_of(error: BaseException) -> str:
    return type(error).__module__.partition(".")[0]
