"""What worker processes have executed, in shared memory that the measuring process reads."""

import struct
import time
from mmap import mmap
from pathlib import Path
from typing import Final, Self

_LAYOUT: Final = struct.Struct("=qqq")


class Tally:
    """Counts executions of one worker process and keeps the first and the last one's time.

    Times are nanoseconds of the monotonic clock, which all processes of a machine share.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("r+b")
        self._memory = mmap(self._file.fileno(), _LAYOUT.size)
        self._count = 0
        self._first = 0

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make the file, with nothing counted."""
        path.write_bytes(bytes(_LAYOUT.size))
        return cls(path)

    def add(self, executions: int = 1) -> None:
        """Count executions, as of now."""
        now = time.monotonic_ns()
        self._first = self._first or now
        self._count += executions
        _LAYOUT.pack_into(self._memory, 0, self._count, self._first, now)

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

    def close(self) -> None:
        """Let the file go."""
        self._memory.close()
        self._file.close()

    def _read(self) -> tuple[int, int, int]:
        count, first, last = _LAYOUT.unpack_from(self._memory)
        return count, first, last
