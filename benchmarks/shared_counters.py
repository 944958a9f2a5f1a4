"""Counters of worker processes, in shared memory that the measuring process reads."""

import itertools
import struct
import time
from mmap import mmap
from pathlib import Path
from typing import Final, Self

_LAYOUT: Final = struct.Struct("=qqqq")
_EXECUTIONS: Final = struct.Struct("=qqq")
_STATEMENTS: Final = struct.Struct("=q")


class SharedCounters:
    """Counts executions of one worker process, with the times of the first and the last.

    Times are nanoseconds of the monotonic clock, which all processes of a machine share.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("r+b")
        self._memory = mmap(self._file.fileno(), _LAYOUT.size)
        self._count = 0
        self._first = 0
        # Threads may count at the same time.
        self._statements = itertools.count(1)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Create the file, with all counters at zero."""
        path.write_bytes(bytes(_LAYOUT.size))
        return cls(path)

    def add(self, executions: int = 1) -> None:
        """Count executions, as of now."""
        now = time.monotonic_ns()
        self._first = self._first or now
        self._count += executions
        _EXECUTIONS.pack_into(self._memory, 0, self._count, self._first, now)

    def add_statement(self) -> None:
        """Count a statement that the process ran on its database."""
        _STATEMENTS.pack_into(self._memory, _EXECUTIONS.size, next(self._statements))

    @property
    def count(self) -> int:
        """The executions so far, as the worker process has counted them."""
        return self._read()[0]

    @property
    def first(self) -> int:
        """When the first execution was counted; 0 before it."""
        return self._read()[1]

    @property
    def last(self) -> int:
        """When the last execution was counted; 0 before it."""
        return self._read()[2]

    @property
    def statements(self) -> int:
        """The statements so far, where they are counted."""
        return self._read()[3]

    def close(self) -> None:
        """Close the file."""
        self._memory.close()
        self._file.close()

    def _read(self) -> tuple[int, int, int, int]:
        count, first, last, statements = _LAYOUT.unpack_from(self._memory)
        return count, first, last, statements
