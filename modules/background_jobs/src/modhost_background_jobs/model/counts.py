"""What a worker has counted since its process began, for metrics: plain numbers."""

from collections.abc import Collection, Iterator
from typing import Final

from modhost.metrics import OTHER, Histogram
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model.flow import Lane

MAX_KEYS: Final = 1_000
"""Producers name queues as they like: beyond so many lanes they are counted together."""


class EndCounts:
    """Jobs of a lane that finished, how long they waited and ran, and attempts that are retried."""

    __slots__ = ("cancelled", "completed", "failed", "retried", "runs", "waits")

    def __init__(self) -> None:
        self.completed = self.failed = self.cancelled = self.retried = 0
        self.waits, self.runs = Histogram(), Histogram()

    def count(self, state: JobState, waited: Collection[float], ran: Collection[float]) -> None:
        """Count the ends of jobs in a state, by how many seconds each has waited and run."""
        if state is JobState.COMPLETED:
            self.completed += len(ran)
        elif state is JobState.FAILED:
            self.failed += len(ran)
        else:
            self.cancelled += len(ran)
        self.waits.observe_all(waited)
        self.runs.observe_all(ran)

    @property
    def by_outcome(self) -> dict[JobState, int]:
        """How many jobs finished in each state."""
        return {
            JobState.COMPLETED: self.completed,
            JobState.FAILED: self.failed,
            JobState.CANCELLED: self.cancelled,
        }


class JobCounts:
    """Counts by lane and type, as jobs are claimed: nothing is taken apart before it is read."""

    def __init__(self) -> None:
        self._by_lane: dict[tuple[str | None, str], EndCounts] = {}
        self._others = EndCounts()

    def of(self, lane: str | None, job_type: str) -> EndCounts:
        """Return the counts of a lane and a type."""
        key = (lane, job_type)
        if (found := self._by_lane.get(key)) is None:
            if len(self._by_lane) >= MAX_KEYS:
                return self._others
            found = self._by_lane[key] = EndCounts()
        return found

    def __iter__(self) -> Iterator[tuple[str, str, EndCounts]]:
        """Yield queues and types with their counts, some of them several times."""
        for (lane, job_type), counts in self._by_lane.items():
            yield DEFAULT_QUEUE if lane is None else Lane.of(lane).queue, job_type, counts
        if len(self._by_lane) >= MAX_KEYS:
            yield OTHER, OTHER, self._others
