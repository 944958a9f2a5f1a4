"""How much of the processors others take, whose load must not look like a trace of a fault."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

Times = Mapping[int, tuple[int, int]]


def times_of(pids: Iterable[int]) -> Times:
    """Return for each process how long it ran and how long it waited to, in nanoseconds."""
    found = {}
    for pid in pids:
        # Where the system does not count it, or the process is gone, nobody waited.
        with suppress(OSError):
            ran, waited, _ = Path("/proc", f"{pid}", "schedstat").read_text().split()
            found[pid] = int(ran), int(waited)
    return found


class Contention:
    """How much of the time in which processes wanted a processor they had one."""

    def __init__(self, pids: Callable[[], Iterable[int]], window: float) -> None:
        self._pids = pids
        self._window = window
        self._taken: deque[tuple[float, Times]] = deque()

    def sample(self) -> None:
        """Note where the processes are now; what is older than the window is forgotten."""
        now = time.monotonic()
        self._taken.append((now, times_of(self._pids())))
        while len(self._taken) > 1 and self._taken[1][0] <= now - self._window:
            self._taken.popleft()

    def share(self) -> float:
        """Return the share over the last window; 1 where the machine had time for all."""
        (_, first), (_, last) = self._taken[0], self._taken[-1]
        ran = sum(last[pid][0] - first[pid][0] for pid in last.keys() & first.keys())
        waited = sum(last[pid][1] - first[pid][1] for pid in last.keys() & first.keys())
        return ran / (ran + waited) if ran else 1.0
