"""Watch for writes to a SQLite database, where the system reports them: on Linux."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import anyio

try:
    import inotify_simple
except ImportError:  # not on this system
    inotify_simple = None

POLL_SECONDS: Final = 0.015


class WalWatch:
    """Wait for writes to the write-ahead log; without the system's help, let time pass."""

    def __init__(self, inotify: Any, path: Path) -> None:
        self._inotify = inotify
        self._path = path

    @property
    def is_event_driven(self) -> bool:
        """Whether the system reports writes, so that `written` does not return without one."""
        return self._inotify is not None

    async def written(self) -> None:
        """Wait until somebody may have written; the commit may still be in progress then."""
        if self._inotify is None:
            await anyio.sleep(POLL_SECONDS)
            return
        await anyio.wait_readable(self._inotify)
        for event in self._inotify.read(timeout=0):
            if event.mask & inotify_simple.flags.IGNORED:
                self._watch_again()

    def _watch_again(self) -> None:
        # The log is a new file after the last connection to the old one was closed.
        try:
            self._inotify.add_watch(self._path, inotify_simple.flags.MODIFY)
        except OSError:
            self._inotify.close()
            self._inotify = None


@contextlib.contextmanager
def watch_wal(database: Path) -> Iterator[WalWatch]:
    """Watch the log of a database that has a connection open."""
    path = database.with_name(f"{database.name}-wal")
    with contextlib.ExitStack() as stack:
        inotify = None
        if inotify_simple is not None:
            try:
                inotify = stack.enter_context(inotify_simple.INotify())
                inotify.add_watch(path, inotify_simple.flags.MODIFY)
            except OSError:  # too many watches, or no log yet: polling works without
                inotify = None
        yield WalWatch(inotify, path)
