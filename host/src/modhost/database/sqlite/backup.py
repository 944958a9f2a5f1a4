"""Back up a SQLite database while it is in use, and bring a backup back while it is not."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from modhost.database.errors import DatabaseError, reason_of
from modhost.database.sqlite.foreign_log import (
    has_foreign_log,
    is_used_elsewhere,
    refuse_foreign_log,
)

# A table that every database of a host has.
_MARK: Final = "modhost_alembic_version"
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class BackupRefused(DatabaseError):
    """A backup cannot be made, or not be restored; the message says what to do."""


def back_up(database: Path, to: Path) -> None:
    """Write a copy of a database as of now, checked and complete, while others write to it.

    Raises `BackupRefused`, `sqlite3.Error`, and `DatabaseUnreachable` if its log is another's.
    """
    if not database.exists():
        raise BackupRefused(f"There is no database {database}: check [host] database_url.")
    _refuse_taken(to)
    refuse_foreign_log(database)
    with _written_whole(to, database) as partial:
        with closing(_open(database, "rw")) as found:
            found.execute("VACUUM INTO ?", (str(partial),))
        _check(partial)


def restore(database: Path, backup: Path, now: datetime) -> Path | None:
    """Replace a database by a backup, while no process uses it.

    Args:
        database: what is replaced; it may be damaged, or missing.
        backup: what `back_up` or SQLite wrote.
        now: names the copy that is kept of what was there.

    Returns:
        Where what was there is kept, None if there was nothing.

    Raises:
        BackupRefused: a process has the database open, or the backup is not one.
        sqlite3.Error: the disk is full, or the like; what was there is unchanged.

    """
    if not backup.is_file():
        raise BackupRefused(f"There is no file {backup}.")
    if database.exists() and backup.samefile(database):
        raise BackupRefused(f"{backup} is the database itself; name a backup of it.")
    _check(backup)
    database.parent.mkdir(parents=True, exist_ok=True)
    if is_used_elsewhere(database):
        raise _in_use(database)
    kept = database.with_name(f"{database.name}.before-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    _refuse_taken(kept)
    if database.exists() and not has_foreign_log(database):
        try:
            _replace_content(database, backup, kept)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                raise
            kept.unlink(missing_ok=True)
        else:
            return kept
    return _replace_file(database, backup, kept)


def _replace_content(database: Path, backup: Path, kept: Path) -> None:
    """Write a backup into a database, in one transaction; whoever starts meanwhile waits."""
    with closing(_open(database, "rw")) as target, closing(_open(backup, "ro")) as source:
        target.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            target.execute("BEGIN EXCLUSIVE")
            target.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise _in_use(database) from error
            raise
        with _written_whole(kept, database) as partial:
            target.execute("VACUUM INTO ?", (str(partial),))
        # So that the backup may have another page size; the next start switches the log on again.
        target.execute("PRAGMA journal_mode = DELETE")
        source.backup(target)


def _replace_file(database: Path, backup: Path, kept: Path) -> Path | None:
    """Put a backup in the place of a database that cannot be opened, or is not there."""
    replacing = database.with_name(f"{database.name}.replacing")
    with _written_whole(replacing, database) as partial, closing(_open(backup, "ro")) as source:
        source.execute("VACUUM INTO ?", (str(partial),))
    was_there = database.exists()
    owner = (database if was_there else database.parent).stat()
    with suppress(PermissionError):
        os.chown(replacing, owner.st_uid, owner.st_gid)
    # The log first: alone, no database would be left with it.
    for suffix in ("-wal", "-shm", "-journal", ""):
        old = database.with_name(database.name + suffix)
        if old.exists():
            old.rename(kept.with_name(kept.name + suffix))
    replacing.rename(database)
    return kept if was_there else None


def _check(backup: Path) -> None:
    """Raise `BackupRefused` unless a file is a whole database of a host."""
    try:
        with closing(_open(backup, "ro")) as found:
            (result,) = found.execute("PRAGMA quick_check(1)").fetchone()
            mark = found.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (_MARK,)).fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupRefused(f"{backup} cannot be read: {reason_of(error)}") from error
    if result != "ok":
        raise BackupRefused(f"{backup} is damaged: {result.splitlines()[-1]}. Name another backup.")
    if mark is None:
        raise BackupRefused(f"{backup} is not the database of a host: it has no table {_MARK}.")


@contextmanager
def _written_whole(file: Path, like: Path) -> Iterator[Path]:
    """Give a file its name once it is complete and on disk; nothing is left of a failure."""
    partial = file.with_name(f"{file.name}.partial")
    # SQLite would not say what is wrong with the folder.
    partial.write_bytes(b"")
    try:
        yield partial
        if like.exists():
            partial.chmod(like.stat().st_mode & 0o777)
        descriptor = os.open(partial, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)


def _open(file: Path, mode: str) -> sqlite3.Connection:
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1)


def _refuse_taken(file: Path) -> None:
    if file.exists():
        raise BackupRefused(f"{file} exists, and is not overwritten: name another file.")
    if not file.absolute().parent.is_dir():
        raise BackupRefused(f"There is no folder {file.absolute().parent}: create it first.")


def _in_use(database: Path) -> BackupRefused:
    msg = f"A process has {database} open: it would continue with what it remembers of the former "
    msg += "content. Stop every `modhost run` and `modhost worker` of it, then try again."
    return BackupRefused(msg)
