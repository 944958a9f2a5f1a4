"""A history, commit by commit, with what holds at each moment."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import LimitKey
from modhost_background_jobs.model.flow import PLAIN, Flow
from moving_clock import START
from simulation.flow.control import Control
from simulation.history import Change, History, process_of
from simulation.rows import Row

EXCUSED_SECONDS = 8.0
"""How long after lost or slow calls a worker may know too little: it retries within 5 s."""


@dataclass
class Moment:
    """What a commit has changed, and the jobs after it; `claimable` is since when each one is."""

    at: float
    changes: Sequence[Change]
    rows: dict[UUID, Row]
    claimable: dict[UUID, float]
    """The jobs that could be claimed before it, by the time since when they could."""

    @property
    def starts(self) -> list[Change]:
        """The claims."""
        return [change for change in self.changes if change.is_start]

    @property
    def tended(self) -> set[LimitKey]:
        """The keys that hold back other jobs than before."""
        pairs = [
            (change.before and change.before.held_by, change.after and change.after.held_by)
            for change in self.changes
        ]
        held_by = {each for before, after in pairs if before != after for each in (before, after)}
        return {LimitKey.of(each) for each in held_by if each}


@dataclass
class Replay:
    """Goes through a history; `troubles` says when each process had slow or lost calls."""

    history: History
    control: Control
    troubles: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def moments(self) -> Iterator[Moment]:
        """Return the commits in their order."""
        rows: dict[UUID, Row] = {}
        claimable: dict[UUID, float] = {}
        for _, group in groupby(self.history.changes, key=lambda change: change.commit):
            changes = list(group)
            before = dict(claimable)
            at = changes[0].at
            for change in changes:
                _put(rows, change)
                if change.after is None or not change.after.can_be_claimed:
                    claimable.pop(change.job, None)
                elif not _stood_there(change):
                    claimable[change.job] = at
            yield Moment(at, changes, rows, before)

    def flow(self, job: UUID) -> Flow:
        """Return the flow control of a job; a run of the schedule has none."""
        return self.control.jobs[job].flow if job in self.control.jobs else PLAIN

    def job_type(self, job: UUID) -> str:
        """Return the type of a job."""
        return self.control.jobs[job].job_type if job in self.control.jobs else "tests.Job"

    def lane(self, job: UUID) -> str | None:
        """Return the lane of a job."""
        return self.flow(job).lane(self.job_type(job))

    def is_fair(self, job: UUID) -> bool:
        """Return whether a job takes turns with others."""
        return self.flow(job).fair_key is not None

    def running(self, moment: Moment, key: LimitKey) -> int:
        """Return how many jobs of a key run."""
        return sum(
            row.state is JobState.RUNNING and key in self.flow(job).limits
            for job, row in moment.rows.items()
        )

    def is_troubled(self, worker: str | None, at: float, before: float = EXCUSED_SECONDS) -> bool:
        """Return whether the calls of a worker's process have been slow or lost lately."""
        return any(
            begin <= at and at - end < before
            for begin, end in self.troubles.get(process_of(worker or ""), ())
        )

    def is_paused(self, job: UUID, at: float, *, before: float = 0.0, after: float = 0.0) -> bool:
        """Return whether a job was paused at a time, and `before` seconds before it.

        With `after` a pause holds so many seconds longer.
        """
        names = {"queue": self.flow(job).queue, "type": self.job_type(job)}
        return any(
            names[pause.kind] == pause.name
            and pause.since + before < at
            and at < pause.until + after
            for pause in self.control.pauses
        )


def _stood_there(change: Change) -> bool:
    """Return whether the job could be claimed before, at the same place."""
    before, after = change.before, change.after
    is_open = before is not None and before.can_be_claimed
    return is_open and before is not None and after is not None and before.place == after.place


def _put(rows: dict[UUID, Row], change: Change) -> None:
    if change.after is None:
        rows.pop(change.job, None)
    else:
        rows[change.job] = change.after


def due_at(row: Row) -> float:
    """Return when a pending job that has no turn is due, in seconds since the start."""
    place = datetime.fromisoformat(row.place or "")
    if place.tzinfo is None:
        place = place.replace(tzinfo=START.tzinfo)
    return (place - START).total_seconds()
