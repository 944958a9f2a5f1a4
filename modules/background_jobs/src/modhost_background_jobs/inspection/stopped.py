"""Pending jobs that no worker starts: their queue is served by none, or something is paused."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from modhost_background_jobs.model import serves
from modhost_background_jobs.model.pauses import PauseRow
from modhost_background_jobs.queries.load import MAX_COUNTED, PendingJobs


class Server(Protocol):
    """A worker, or a host that would be one: what it takes."""

    @property
    def job_types(self) -> tuple[str, ...]:
        """The types that it knows."""

    @property
    def queues(self) -> tuple[str, ...]:
        """Its option `queues`."""


@dataclass(frozen=True, slots=True)
class UnservedQueue:
    """A queue with jobs that no worker takes, and how many there are, up to a bound."""

    name: str
    jobs: int

    @property
    def waiting(self) -> str:
        """How many jobs wait, in words."""
        return _waiting(self.jobs)


@dataclass(frozen=True, slots=True)
class PausedJobs:
    """A pause that keeps jobs waiting whose due time has come."""

    pause: PauseRow
    jobs: int

    @property
    def waiting(self) -> str:
        """How many jobs wait, in words."""
        return _waiting(self.jobs)


def unserved_queues(
    pending: Sequence[PendingJobs], servers: Sequence[Server]
) -> Mapping[str, Sequence[PendingJobs]]:
    """Return the jobs by queue that no worker takes, as far as that is not due to their type."""
    found = defaultdict(list)
    known = {name for server in servers for name in server.job_types}
    for each in pending:
        serving = [server for server in servers if serves(server.queues, each.queue)]
        is_taken = any(each.job_type in server.job_types for server in serving)
        if not is_taken and (not serving or each.job_type in known):
            found[each.queue].append(each)
    return found


def paused_by(
    pause: PauseRow, pending: Sequence[PendingJobs], now: datetime
) -> Sequence[PendingJobs]:
    """Return the jobs that a pause keeps waiting, if their due time has come for one of them."""
    return [
        each
        for each in pending
        if pause.name == (each.queue if pause.kind == "queue" else each.job_type)
        and each.oldest_at <= now
    ]


def _waiting(jobs: int) -> str:
    more = " or more" if jobs >= MAX_COUNTED else ""
    return f"{jobs:,}{more} {'job waits' if jobs == 1 else 'jobs wait'}"
