"""How many more jobs of each queue, and in processes, a worker has room for."""

from collections.abc import Iterable
from typing import Final

from modhost_background_jobs.contracts.flow import DEFAULT_QUEUE
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.model.claiming.lanes import Cap
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.worker.attempts.attempt import Attempt

PROCESSES: Final = "processes"


class Rooms:
    """Bounds the jobs of groups: those of a queue, and those in processes of their own."""

    def __init__(self, types: JobTypes, options: BackgroundJobsOptions) -> None:
        self._queue_limits = options.queue_concurrency
        self._process_limit = options.process_concurrency
        self._in_processes = frozenset(
            name for name in types.of_workers if types.named(name).runs_in_process
        )
        self.apart: frozenset[str] = frozenset()
        """The types to ask for only when they have due jobs, since their room is bounded."""
        if self._in_processes != set(types.of_workers) and DEFAULT_QUEUE not in self._queue_limits:
            self.apart = self._in_processes

    @property
    def are_bounded(self) -> bool:
        """Whether some jobs are bounded further than by the slots."""
        return bool(self._queue_limits or self._in_processes)

    def bounds(
        self, asked: Iterable[tuple[str, str, str]], room: int, attempts: Iterable[Attempt]
    ) -> tuple[dict[str, int], list[Cap]]:
        """Return how many jobs of each to take, and of several together.

        Args:
            asked: the names of types and lanes, each with its queue and job type.
            room: for how many jobs the worker has room in all.
            attempts: what it holds.

        """
        left = self._left(attempts)
        mosts: dict[str, int] = {}
        groups: dict[str, list[str]] = {}
        for name, queue, job_type in asked:
            own = [group for group in self._groups_of(queue, job_type) if left[group] < room]
            mosts[name] = min((left[group] for group in own), default=room)
            for group in own:
                groups.setdefault(group, []).append(name)
        caps = [
            Cap(frozenset(names), left[group])
            for group, names in groups.items()
            if len(names) > 1 and left[group] > 0
        ]
        return mosts, caps

    def _groups_of(self, queue: str, job_type: str) -> list[str]:
        groups = [f"queue:{queue}"] if queue in self._queue_limits else []
        return [*groups, PROCESSES] if job_type in self._in_processes else groups

    def _left(self, attempts: Iterable[Attempt]) -> dict[str, int]:
        left = {f"queue:{name}": limit for name, limit in self._queue_limits.items()}
        left[PROCESSES] = self._process_limit
        for attempt in attempts:
            for group in self._groups_of(attempt.claimed.queue, attempt.claimed.job_type):
                left[group] -= 1
        return left
