"""What the drivers raise: whether it may pass, and what it does to a session.

The one place that knows the errors of drivers; PostgreSQL's are known by their SQLSTATE.
"""

import sqlite3
import ssl
import traceback
from collections.abc import Iterator
from typing import Final

from sqlalchemy import exc

from modhost.failures import driver_error

# Connections, resources, locks, an administrator's or an operating system's intervention, and what
# asks to be tried again. Beside whole classes: a server that only reads, and one that cancels what
# takes too long.
_PASSING: Final = ("08", "40", "53", "55", "57", "58", "25006", "25P03", "25P04")
LOCK_TIMEOUT: Final = "55P03"
# What the statement, its values or locks of others are to blame for; the session is as good as
# before.
_HARMLESS: Final = ("21", "22", "23", "2F", "40", "42", "44", LOCK_TIMEOUT, "P0")
POOLED: Final = frozenset({"26000", "42P05"})
"""A prepared statement that is unknown, or known already: the session is not this client's own."""

_SQLITE_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_INTERRUPT,
    }
)
# The client's part of asyncpg has no SQLSTATE; by their names, since the driver is optional.
_CLIENT_ERRORS: Final = frozenset({"InterfaceError", "InternalClientError"})
_DRIVERS: Final = ("asyncpg", "aiosqlite", "sqlalchemy", "modhost.database")
_CLIENT_MISTAKES: Final = frozenset(
    {
        *("ClientConfigurationError", "DataError"),
        *("UnsupportedClientFeatureError", "UnsupportedServerFeatureError"),
    }
)


def sqlstate_of(error: BaseException) -> str:
    """Return the five characters by which PostgreSQL calls an error; none for any other."""
    return str(getattr(driver_error(error), "sqlstate", None) or "")


def may_pass(error: BaseException) -> bool:
    """Return whether an error is one of a database that may be itself again without our doing.

    Errors that were raised from such an error count as well, and groups of nothing else.
    """
    if isinstance(error, BaseExceptionGroup):
        return all(map(may_pass, error.exceptions))
    return any(map(_passes, _chain(error)))


def is_locked(error: BaseException) -> bool:
    """Return whether SQLite gave up waiting for another process."""
    code = getattr(driver_error(error), "sqlite_errorcode", sqlite3.SQLITE_OK)
    return bool(code & 0xFF == sqlite3.SQLITE_BUSY)


def spoils_session(error: BaseException) -> bool:
    """Return whether a session must be replaced after an error: it may fail again and again.

    One that was opened while the server only read, or with a time limit, stays so.
    """
    state = sqlstate_of(error)
    if state:
        return state in POOLED or not state.startswith(_HARMLESS)
    original = driver_error(error)
    return isinstance(original, OSError | EOFError) or _is_client_error(original)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Return an error and those that it was raised from, or while they were handled."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _passes(error: BaseException) -> bool:
    stated = getattr(error, "may_pass", None)
    if isinstance(stated, bool):
        return stated
    original = driver_error(error)
    if isinstance(original, sqlite3.Error):
        code = getattr(original, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        return code & 0xFF in _SQLITE_PASSING
    if isinstance(error, exc.TimeoutError):  # of a pool whose connections are all lent
        return True
    if isinstance(original, OSError | EOFError):
        is_permanent = isinstance(original, PermissionError | ssl.SSLCertVerificationError)
        return _was_raised_by_driver(original) and not is_permanent
    state = sqlstate_of(original)
    return state.startswith(_PASSING) if state else _is_client_error(original)


def _was_raised_by_driver(error: BaseException) -> bool:
    """Return whether an error of the operating system has to do with a database at all."""
    frames = traceback.walk_tb(error.__traceback__)
    modules = (frame.f_globals.get("__name__", "") for frame, _ in frames)
    return any(
        f"{module}.".startswith(tuple(f"{each}." for each in _DRIVERS)) for module in modules
    )


def _is_client_error(error: BaseException) -> bool:
    names = {each.__name__ for each in type(error).__mro__ if each.__module__.startswith("asyncpg")}
    return bool(names & _CLIENT_ERRORS) and not names & _CLIENT_MISTAKES
