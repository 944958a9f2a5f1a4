"""What happened in a simulation: each change of a job, and each attempt of its code."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Lease
from simulation.workers.virtual_time import VirtualClock


class Row(NamedTuple):
    """A job as it stands in the tables."""

    state: JobState
    fence: int
    attempts_left: int
    worker: str | None
    is_to_stop: bool
    is_recurring: bool
    on_hold: bool


RESCUING: ContextVar[bool] = ContextVar("rescuing", default=False)
"""Whether what is done just now is a rescue."""


class Change(NamedTuple):
    """What one commit did to one job; `by` is the process whose commit it was."""

    at: float
    by: str
    is_rescue: bool
    job: UUID
    before: Row | None
    after: Row | None

    @property
    def lease_ended(self) -> bool:
        """Whether an attempt's right to write ended by it."""
        return (
            self.before is not None
            and self.before.state is JobState.RUNNING
            and (self.after is None or self.after[:2] != self.before[:2])
        )


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
    sulks: float
    """How many seconds it takes to stop when it is asked to."""
    over: float | None = None
    how: str | None = None
    lines: list[str] = field(default_factory=list)
    """What it has logged."""


def process_of(worker: str) -> str:
    """Return the process of a worker; one process has several, one after the other."""
    return worker.partition(".")[0]


@dataclass
class History:
    """What is known in the end."""

    clock: VirtualClock
    acknowledged: set[UUID] = field(default_factory=set)
    """Jobs whose enqueue returned."""
    changes: list[Change] = field(default_factory=list)
    attempts: dict[Lease, Attempt] = field(default_factory=dict)
    beats: list[Beat] = field(default_factory=list)
    rows: dict[UUID, Row] = field(default_factory=dict)
    lines: set[tuple[UUID, str]] = field(default_factory=set)
    """The log lines that are stored in the end."""
    wrongs: list[str] = field(default_factory=list)
    """What was wrong at the moment it happened."""

    def see(self, found: list[tuple[UUID, Row]], by: str) -> None:
        """Note what has changed since the last look."""
        at, is_rescue = self.clock.monotonic(), RESCUING.get()
        rows = dict(found)
        if len(rows) < len(found):
            self.wrongs.append(f"{at:.2f}: a job is in both tables")
        for job in rows | self.rows:
            before, after = self.rows.get(job), rows.get(job)
            if before != after:
                self.changes.append(Change(at, by, is_rescue, job, before, after))
        self.rows = rows

    @contextmanager
    def attempt(self, lease: Lease, process: str, sulks: float) -> Iterator[Attempt]:
        """Note that an attempt runs, and how it ends."""
        attempt = Attempt(lease, process, self.clock.monotonic(), sulks)
        if lease in self.attempts:
            self.wrongs.append(f"{attempt.began:.2f}: {lease} runs twice")
        self.attempts[lease] = attempt
        try:
            yield attempt
        except Exception:
            self._note_end(attempt, "raised")
            raise
        except BaseException:
            self._note_end(attempt, "stopped")
            raise
        self._note_end(attempt, "returned")

    def running_in(self, process: str) -> list[Attempt]:
        """Return the attempts that run in a process."""
        return [a for a in self.attempts.values() if a.process == process and a.how is None]

    def killed(self, process: str) -> None:
        """Note that a process is no more."""
        for attempt in self.running_in(process):
            self._note_end(attempt, "killed")

    def reported(self) -> str:
        """Tell all that happened, in the order of time."""
        events: list[tuple[float, str]] = [
            (c.at, f"{c.by:8} {short(c.job)} {_told(c.before)} -> {_told(c.after)}")
            for c in self.changes
        ]
        for a in self.attempts.values():
            events.append(
                (a.began, f"{a.process:8} {short(a.lease.job_id)} begins {a.lease.fence}")
            )
            if a.over is not None:
                reported = f"{a.process:8} {short(a.lease.job_id)} {a.how} {a.lease.fence}"
                events.append((a.over, reported))
        return "\n".join(f"{at:8.2f} {event}" for at, event in sorted(events, key=lambda e: e[0]))

    def _note_end(self, attempt: Attempt, how: str) -> None:
        if attempt.how is None:
            attempt.over, attempt.how = self.clock.monotonic(), how


def short(job: UUID) -> str:
    """Return enough of an id to tell one job of a simulation from another."""
    return f"job {job.int}" if job.int < 1_000_000 else f"job {str(job)[-6:]}"


def _told(row: Row | None) -> str:
    if row is None:
        return "-"
    stopping = " (to stop)" if row.is_to_stop else ""
    return f"{row.state.value}{stopping} {row.fence} {row.worker or ''} left {row.attempts_left}"


def row_of(values: Any) -> tuple[UUID, Row]:
    """Return a job from the columns in which the tables keep it."""
    id_, state, *others = values
    fence, left, worker, is_to_stop, is_recurring, on_hold = others
    flags = (bool(is_to_stop), bool(is_recurring), bool(on_hold))
    return UUID(str(id_)), Row(JobState(state), fence, left, worker, *flags)
