"""The history of a simulation: each change of a job, and each attempt of its code."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Lease
from simulation.rows import Row, row_of
from simulation.virtual_time import VirtualClock


@dataclass
class Rescuing:
    """A rescue that is under way."""

    decided_at: float | None = None
    """When its first statement found the worker silent; ends that others wait for come later."""


RESCUING: ContextVar[Rescuing | None] = ContextVar("rescuing", default=None)
"""What the current task does if it rescues jobs."""


@contextmanager
def rescuing() -> Iterator[None]:
    """Mark what is done in the block as part of a rescue."""
    before = RESCUING.set(Rescuing())
    try:
        yield
    finally:
        RESCUING.reset(before)


class Change(NamedTuple):
    """The effect of one commit on one job; `by` is the process that committed."""

    commit: int
    at: float
    by: str
    decided_at: float | None
    """When a rescue, if it is part of one, found the worker silent."""
    job: UUID
    before: Row | None
    after: Row | None

    @property
    def is_rescue(self) -> bool:
        """Whether it is part of a rescue."""
        return self.decided_at is not None

    @property
    def is_start(self) -> bool:
        """Whether it was claimed."""
        if self.after is None or self.after.state is not JobState.RUNNING:
            return False
        return self.before is None or self.before.state is not JobState.RUNNING

    @property
    def lease_ended(self) -> bool:
        """Whether it ended the lease of an attempt."""
        return (
            self.before is not None
            and self.before.state is JobState.RUNNING
            and (self.after is None or self.after[:2] != self.before[:2])
        )


class StepEvent(NamedTuple):
    """An attempt has done a step, or knows its result, which is the fence of who has done it."""

    what: Literal["done", "known"]
    fence: int
    result: int


class Beat(NamedTuple):
    """A heartbeat that the database has acknowledged."""

    worker: str
    sent: float
    acknowledged: float


@dataclass
class Attempt:
    """One run of a job's code; `how` it ended is `returned`, `raised`, `stopped` or `killed`."""

    lease: Lease
    process: str
    began: float
    stop_delay: float
    """Seconds that it takes to stop after a request."""
    ended_at: float | None = None
    how: str | None = None
    lines: list[str] = field(default_factory=list)
    """The lines that it logged."""


def process_of(worker: str) -> str:
    """Return the process of a worker; a process has several workers, one after another."""
    return worker.partition(".")[0]


@dataclass
class History:
    """All that is known at the end."""

    clock: VirtualClock
    acknowledged: set[UUID] = field(default_factory=set)
    """Jobs whose enqueue returned."""
    changes: list[Change] = field(default_factory=list)
    attempts: dict[Lease, Attempt] = field(default_factory=dict)
    beats: list[Beat] = field(default_factory=list)
    rows: dict[UUID, Row] = field(default_factory=dict)
    lines: set[tuple[UUID, str]] = field(default_factory=set)
    """The log lines that are stored at the end."""
    steps: dict[tuple[UUID, str], list[StepEvent]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """What happened to each step of a job, in order."""
    stored_steps: dict[tuple[UUID, str], int] = field(default_factory=dict)
    """The steps that are stored at the end, each with the fence under which it was."""
    violations: list[str] = field(default_factory=list)
    """What was found wrong while it happened."""
    knows: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The job types that each worker knows."""
    troubles: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """When each process had slow or lost calls, each from a time to a time."""
    waits: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """When calls of each process waited for transactions of others, likewise."""
    asked_to_stop: dict[str, float] = field(default_factory=dict)
    """When each process was first asked to shut down."""
    _commits: int = 0
    _stored: dict[Any, tuple[Any, ...]] = field(default_factory=dict)

    def record(self, found: Sequence[Sequence[Any]], by: str) -> None:
        """Record what has changed since the last call, of the rows of `ROWS`."""
        at, rescue = self.clock.monotonic(), RESCUING.get()
        if rescue is not None and rescue.decided_at is None:
            rescue.decided_at = at
        decided_at = None if rescue is None else rescue.decided_at
        self._commits += 1
        stored = {row[0]: tuple(row) for row in found}
        if len(stored) < len(found):
            self.violations.append(f"{at:.2f}: a job is in both tables")
        for key in stored | self._stored:
            if (row := stored.get(key)) == self._stored.get(key):
                continue
            job, after = UUID(str(key)), None if row is None else row_of(row)
            before = self.rows.pop(job, None)
            if after is not None:
                self.rows[job] = after
            if before != after:
                self.changes.append(Change(self._commits, at, by, decided_at, job, before, after))
        self._stored = stored

    @contextmanager
    def attempt(self, lease: Lease, process: str, stop_delay: float) -> Iterator[Attempt]:
        """Record an attempt, and how it ends."""
        attempt = Attempt(lease, process, self.clock.monotonic(), stop_delay)
        if lease in self.attempts:
            self.violations.append(f"{attempt.began:.2f}: {lease} runs twice")
        self.attempts[lease] = attempt
        try:
            yield attempt
        except Exception:
            self._record_end(attempt, "raised")
            raise
        except BaseException:
            self._record_end(attempt, "stopped")
            raise
        self._record_end(attempt, "returned")

    def is_troubled(self, process: str, since: float, until: float) -> bool:
        """Return whether calls of a process were slow or lost within a span of time."""
        spans = self.troubles.get(process, ())
        return any(begin <= until and end >= since for begin, end in spans)

    def waited(self, process: str, since: float, until: float) -> float:
        """Return for how long calls of a process that began in a span of time waited for others."""
        spans = self.waits.get(process, ())
        return sum(end - begin for begin, end in spans if since <= begin <= until)

    def running_in(self, process: str) -> list[Attempt]:
        """Return the attempts that run in a process."""
        return [a for a in self.attempts.values() if a.process == process and a.how is None]

    def killed(self, process: str) -> None:
        """Record that a process was killed."""
        for attempt in self.running_in(process):
            self._record_end(attempt, "killed")

    def describe(self) -> str:
        """Return all that happened, in the order of time, as text."""
        events: list[tuple[float, str]] = [
            (c.at, f"{c.by:8} {short(c.job)} {_state_of(c.before)} -> {_state_of(c.after)}")
            for c in self.changes
        ]
        for a in self.attempts.values():
            events.append(
                (a.began, f"{a.process:8} {short(a.lease.job_id)} begins {a.lease.fence}")
            )
            if a.ended_at is not None:
                ending = f"{a.process:8} {short(a.lease.job_id)} {a.how} {a.lease.fence}"
                events.append((a.ended_at, ending))
        return "\n".join(f"{at:8.2f} {event}" for at, event in sorted(events, key=lambda e: e[0]))

    def _record_end(self, attempt: Attempt, how: str) -> None:
        if attempt.how is None:
            attempt.ended_at, attempt.how = self.clock.monotonic(), how


def short(job: UUID) -> str:
    """Return enough of an id to distinguish the jobs of a simulation."""
    return f"job {job.int}" if job.int < 1_000_000 else f"job {str(job)[-6:]}"


def _state_of(row: Row | None) -> str:
    if row is None:
        return "-"
    stopping = " (to stop)" if row.is_to_stop else ""
    stopping += f" (behind {row.held_by})" if row.held_by else ""
    return f"{row.state.value}{stopping} {row.fence} {row.worker or ''} left {row.attempts_left}"


def describe(changes: Iterable[Change], why: str = "") -> Iterator[str]:
    """Return a line for each change, and why it is wrong."""
    for change in changes:
        what = f"{short(change.job)} at {change.at:.2f} by {change.by}"
        yield f"{what}: {change.before} -> {change.after}{why}"
