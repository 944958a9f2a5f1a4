"""What happened to a job, in order, and what is still to come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from modhost_background_jobs.contracts import JobAttempt, JobState
from modhost_background_jobs.queries.listing import Row

MAX_TOLD: Final = 80
"""How much of an error stands beside the end of an attempt, in characters."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a moment, or is to happen then.

    Attributes:
        name: in a word or two.
        at: when.
        kind: the state that it led to, in lower case.
        note: more of it; `span` is the seconds that the note ends with.
        by: who did it.
        has_happened: False for what is to come, or has not come about.

    """

    name: str
    at: datetime
    kind: str
    note: str = ""
    span: float | None = None
    by: str | None = None
    has_happened: bool = True


def timeline(row: Row, attempts: Sequence[JobAttempt], now: datetime) -> list[Event]:
    """Return the events by their time, those that have not happened last."""
    events = [
        Event("Created", row["created_at"], "pending", by=row["enqueued_by"]),
        *_due(row, now),
        *_attempts(row, attempts),
        *_end(row),
    ]
    return sorted(events, key=lambda event: (not event.has_happened, event.at))


def waited(row: Row) -> float | None:
    """Return how many seconds the latest attempt waited from being due to its start."""
    if row["started_at"] is None:
        return None
    since = max(row["execute_at"], row["created_at"])
    return max(0.0, float((row["started_at"] - since).total_seconds()))


def ran(row: Row) -> float | None:
    """Return how many seconds the last attempt of a job that is over ran."""
    if row["started_at"] is None or row["completed_at"] is None:
        return None
    return max(0.0, float((row["completed_at"] - row["started_at"]).total_seconds()))


def _due(row: Row, now: datetime) -> Iterator[Event]:
    due = row["execute_at"]
    if due > row["created_at"]:
        name = "Next attempt due" if row["attempt"] and row["started_at"] is None else "Due"
        yield Event(name, due, "pending", has_happened=due <= (row["completed_at"] or now))


def _attempts(row: Row, attempts: Sequence[JobAttempt]) -> Iterator[Event]:
    is_only = len(attempts) == 1 and attempts[0].number == 1
    for attempt in attempts:
        is_latest = attempt.started_at == row["started_at"]
        name = "Started" if is_only else f"Attempt {attempt.number} started"
        span = waited(row) if is_latest else None
        note = "" if span is None else "after waiting"
        yield Event(name, attempt.started_at, "running", note, span)
        if attempt.ended_at is not None and not is_latest:
            told = (attempt.error or "").partition("\n")[0]
            short = told if len(told) <= MAX_TOLD else told[: MAX_TOLD - 1] + "…"
            yield Event(f"Attempt {attempt.number} ended", attempt.ended_at, "failed", short)


def _end(row: Row) -> Iterator[Event]:
    if row["cancel_requested_at"] is not None:
        yield Event("Asked to stop", row["cancel_requested_at"], "cancelled")
    if row["completed_at"] is not None:
        span = ran(row)
        note = "" if span is None else "after running"
        state = JobState(row["state"])
        yield Event(state.value, row["completed_at"], state.value.lower(), note, span)


MIN_DONE: Final = 2
MIN_SECONDS: Final = 5
_MINUTE: Final = 60
_HOUR: Final = 3600


def time_left(row: Row, now: datetime) -> str | None:
    """Return the time left in words, as if the rest went on like the part that is done.

    It counts from the moment at which the percentage was reported: until the next one it falls.
    None while little is done, or when it has taken longer than estimated.
    """
    reported_at = row["progress_at"]
    if row["state"] != JobState.RUNNING or reported_at is None or reported_at < row["started_at"]:
        return None
    done: int = row["progress_percentage"]
    took = (reported_at - row["started_at"]).total_seconds()
    if not MIN_DONE <= done < 100 or took < MIN_SECONDS:
        return None
    left = took * (100 - done) / done - (now - reported_at).total_seconds()
    return _rounded(left) if left > 0 else None


def _rounded(seconds: float) -> str:
    if seconds < MIN_SECONDS:
        return "a few seconds"
    if seconds < _MINUTE:
        return f"about {max(10, 10 * round(seconds / 10))} s"
    if seconds < 1.5 * _HOUR:
        return f"about {round(seconds / _MINUTE)} min"
    return f"about {round(seconds / _HOUR)} h"
