"""What happened to a job, in order, and what is still to come."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import JobAction, JobAttempt, JobState
from modhost_background_jobs.model import JobRow

MAX_NOTE: Final = 80
"""How many characters of its error stand beside the end of an attempt."""

_MIN_PERCENTAGE: Final = 2
_MIN_SECONDS: Final = 5
STOPPING: Final = "asked to stop"
"""What the audit says of a running job that was cancelled."""
_ACTIONS: Final = {
    "retry": ("Retried", "pending"),
    "run_now": ("Made due now", "pending"),
    "reschedule": ("Rescheduled", "pending"),
    "run_again": ("Run again", "pending"),
    "cancel": ("Cancelled", "cancelled"),
    "cancel_workflow": ("Workflow cancelled", "cancelled"),
    "retry_workflow": ("Workflow retried", "pending"),
}
_MINUTE: Final = 60
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a moment, or is to happen then.

    Attributes:
        name: in a word or two.
        at: when.
        kind: the state that it led to, in lower case.
        note: more of it; `span` is the seconds that the note ends with.
        by: who did it.
        job_id: the job that did it for them, or that it made.
        has_happened: False for what is to come, or never came about.

    """

    name: str
    at: datetime
    kind: str
    note: str = ""
    span: float | None = None
    by: str | None = None
    job_id: UUID | None = None
    has_happened: bool = True


def timeline(
    row: JobRow,
    attempts: Sequence[JobAttempt],
    now: datetime,
    actions: Sequence[JobAction] = (),
) -> list[Event]:
    """Return the events by their time, those that have not happened last.

    Args:
        row: the job.
        attempts: its attempts.
        now: the time.
        actions: what people did to it; nothing by default.

    """
    ends, done = _end(row), [_done(each) for each in actions if each.action in _ACTIONS]
    # The row says that it was cancelled, too, without who it was.
    for event in reversed([each for each in done if each.kind == "cancelled"]):
        if ends and ends[0].name == event.name:
            done.remove(event)
            ends[0] = replace(ends[0], by=event.by, job_id=event.job_id)
            break
    events = [
        Event("Created", row.created_at, "pending", by=row.enqueued_by),
        *_due(row, now),
        *_attempts(row, attempts),
        *done,
        *ends,
    ]
    return sorted(events, key=lambda event: (not event.has_happened, event.at))


def time_left(row: JobRow, now: datetime) -> str | None:
    """Return the time left in words, as if the rest took as long as the part that is done.

    It counts from the moment at which the percentage was reported: until the next report it falls.
    None while little is done, or when it has taken longer than estimated.
    """
    started_at, reported_at = row.started_at, row.progress_at
    if row.state is not JobState.RUNNING or started_at is None or reported_at is None:
        return None
    done = row.progress_percentage
    took = (reported_at - started_at).total_seconds()
    if not _MIN_PERCENTAGE <= done < 100 or took < _MIN_SECONDS:
        return None
    left = took * (100 - done) / done - (now - reported_at).total_seconds()
    return _rounded(left) if left > 0 else None


def _due(row: JobRow, now: datetime) -> Iterator[Event]:
    if row.execute_at > row.created_at:
        name = "Next attempt due" if row.attempt and row.started_at is None else "Due"
        has_happened = row.execute_at <= (row.completed_at or now)
        yield Event(name, row.execute_at, "pending", has_happened=has_happened)


def _attempts(row: JobRow, attempts: Sequence[JobAttempt]) -> Iterator[Event]:
    is_only = len(attempts) == 1 and attempts[0].number == 1
    for attempt in attempts:
        is_latest = attempt.started_at == row.started_at
        name = "Started" if is_only else f"Attempt {attempt.number} started"
        span = row.waited if is_latest else None
        note = "" if span is None else "after waiting"
        yield Event(name, attempt.started_at, "running", note, span)
        if attempt.ended_at is not None and not is_latest:
            error = (attempt.error or "").partition("\n")[0]
            short = error if len(error) <= MAX_NOTE else error[: MAX_NOTE - 1] + "…"
            yield Event(f"Attempt {attempt.number} ended", attempt.ended_at, "failed", short)


def _done(action: JobAction) -> Event:
    name, kind = _ACTIONS[action.action]
    if action.action == "cancel" and action.detail == STOPPING:
        name = "Asked to stop"
    made = action.detail.removeprefix("as job:") if action.action == "run_again" else ""
    note = action.detail if action.action == "reschedule" else ""
    job_id = UUID(made) if made else action.bulk_job_id
    return Event(name, action.at, kind, note, by=action.by, job_id=job_id)


def _end(row: JobRow) -> list[Event]:
    events = []
    if row.cancel_requested_at is not None:
        events.append(Event("Asked to stop", row.cancel_requested_at, "cancelled"))
    if row.completed_at is not None:
        note, state = "" if row.ran is None else "after running", row.state.value
        events.append(Event(state, row.completed_at, state.lower(), note, row.ran))
    return events


def _rounded(seconds: float) -> str:
    if seconds < _MIN_SECONDS:
        return "a few seconds"
    if seconds < _MINUTE:
        return f"about {max(10, 10 * round(seconds / 10))} s"
    if seconds < 1.5 * _HOUR:
        return f"about {round(seconds / _MINUTE)} min"
    return f"about {round(seconds / _HOUR)} h"
