"""A write-ahead log that lies beside a database that it does not belong to.

Who copies a backup over a database leaves the old log there, and SQLite applies it to whatever file
it finds: mixed pages of two databases.
"""

import fcntl
import os
import sqlite3
import struct
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from modhost.database.errors import DatabaseUnreachable

QUICK_CHECK_SECONDS: Final = 2.0
_HEADER: Final = 28
# The version of the file format: 1 with a rollback journal, 2 with a write-ahead log.
_WRITE_VERSION: Final = 18
# Where the first page counts its own changes; each is one more than that which it was made from.
_CHANGES: Final = 24
_LOG_HEADER: Final = struct.Struct(">IIIIII")
_LOG_HEADER_SIZE: Final = 32
_FRAME_HEADER: Final = struct.Struct(">IIIIII")
# The bytes that each connection locks for as long as it has the database open.
_SHARED_LOCK: Final = (0x40000000 + 2, 510)
_FLOCK: Final = "hhqqi0q"
_OPS_PER_CALL: Final = 10_000

_descriptors: Final[dict[tuple[int, int], int]] = {}


def log_of(database: Path) -> Path:
    """Return where the write-ahead log of a database is."""
    return database.with_name(f"{database.name}-wal")


def refuse_foreign_log(database: Path) -> None:
    """Raise `DatabaseUnreachable` if the log beside a database is not its own."""
    if has_foreign_log(database):
        log = log_of(database)
        msg = f"{log} does not belong to {database}: it is the write-ahead log of another file, "
        msg += "which lay there before, such as the one that a backup was copied over."
        remedy = f"If {database.name} is the backup, stop all processes, delete {log}, and start "
        remedy += "again; or bring a backup back by `modhost restore FROM`."
        raise DatabaseUnreachable(msg, remedy)


def has_foreign_log(database: Path) -> bool:
    """Return whether the log beside a database is certainly that of another one.

    It is when the database has never had a log, as what `VACUUM INTO` writes; when the two do not
    count the changes of their first page alike; and when they are malformed together, while the
    database alone is not. Of a large one a part is checked.
    """
    log = log_of(database)
    if not log.exists() or not log.stat().st_size or not database.exists():
        return False
    descriptor = _descriptor_of(database)
    header = os.pread(descriptor, _HEADER, 0)
    if len(header) < _HEADER or is_used_elsewhere(database):
        return False
    counted = _changes_in(log)
    (change,) = struct.unpack_from(">I", header, _CHANGES)
    if header[_WRITE_VERSION] == 1 or (counted and not counted[0] - 1 <= change <= counted[1]):
        return True
    return _is_malformed(database, "mode=ro") and not _is_malformed(database, "immutable=1")


def _changes_in(log: Path) -> tuple[int, int] | None:
    """Return the first and the last count of changes in a log; None if it has no first page."""
    counts = []
    with log.open("rb") as frames:
        head = frames.read(_LOG_HEADER_SIZE)
        if len(head) < _LOG_HEADER_SIZE:
            return None
        _, _, page_size, _, *salts = _LOG_HEADER.unpack_from(head)
        while len(frame := frames.read(_FRAME_HEADER.size)) == _FRAME_HEADER.size:
            page, _, *own, _, _ = _FRAME_HEADER.unpack(frame)
            if own != salts:
                break  # of what the log had before it began anew
            first = frames.read(_HEADER)
            if page == 1 and len(first) == _HEADER:
                counts.append(struct.unpack_from(">I", first, _CHANGES)[0])
            frames.seek(page_size - _HEADER, os.SEEK_CUR)
    return (min(counts), max(counts)) if counts else None


def is_used_elsewhere(database: Path) -> bool:
    """Return whether another process has a database open; False where the system does not say."""
    if sys.platform != "linux" or not database.exists():
        return False
    asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, *_SHARED_LOCK, 0)
    held = fcntl.fcntl(_descriptor_of(database), fcntl.F_GETLK, asked)
    return bool(struct.unpack(_FLOCK, held)[0] != fcntl.F_UNLCK)


def _descriptor_of(database: Path) -> int:
    """Return a descriptor that stays open: closing one drops all locks of SQLite's own."""
    found = database.stat()
    key = (found.st_dev, found.st_ino)
    if key not in _descriptors:
        _descriptors[key] = os.open(database, os.O_RDONLY)
    return _descriptors[key]


def _is_malformed(database: Path, how: str) -> bool:
    """Return whether SQLite finds a database malformed, as far as it gets in time."""
    deadline = time.monotonic() + QUICK_CHECK_SECONDS
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?{how}", uri=True)) as found:
            found.set_progress_handler(lambda: time.monotonic() > deadline, _OPS_PER_CALL)
            return bool(found.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
