"""The invariants of workers: who is dead, what they may claim, and how soon they listen."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Lease
from modhost_background_jobs.worker.shutdown import STOP_TIMEOUT
from simulation.history import Beat, History, describe
from simulation.workers.hosts import OPTIONS

STALL_SECONDS: Final = OPTIONS.stall_timeout.total_seconds()
ARRIVES_SECONDS: Final = 1.2
"""A worker polls at least once a second for requests to stop."""


def only_the_silent_are_taken_for_dead(history: History) -> Iterator[str]:
    """No jobs are taken from a worker that has sent a heartbeat within the stall timeout."""
    for change in history.changes:
        if change.decided_at is None or change.before is None:
            continue
        since = change.decided_at - STALL_SECONDS
        for beat in history.beats:
            is_recent = beat.sent > since and beat.acknowledged < change.decided_at
            if beat.worker == change.before.worker and is_recent:
                yield from describe([change], f", whose heartbeat came at {beat.acknowledged:.2f}")


def the_silent_begin_nothing(history: History) -> Iterator[str]:
    """No attempt begins where the last heartbeat that arrived is older than the stall timeout.

    Those of rescued jobs begin once the database has said that their leases hold.
    """
    rescued: set[UUID] = set()
    beats: dict[str | None, list[Beat]] = defaultdict(list)
    for beat in history.beats:
        beats[beat.worker].append(beat)
    for change in history.changes:
        if change.is_rescue:
            rescued.add(change.job)
        if not change.is_start or change.after is None or change.job in rescued:
            continue
        attempt = history.attempts.get(Lease(change.job, change.after.fence))
        if attempt is None:
            continue
        of_worker = beats[change.after.worker]
        sent = [beat.sent for beat in of_worker if beat.sent <= attempt.began]
        if sent and attempt.began > max(sent) + STALL_SECONDS:
            yield from describe([change], f", but {attempt}, {max(sent):.2f} was the last beat")


def rescues_spend_no_attempt(history: History) -> Iterator[str]:
    """It gives the attempt back, whatever becomes of the job."""
    for change in history.changes:
        if change.is_rescue and change.lease_ended and change.after and change.before:
            is_back = change.after.state is JobState.PENDING
            if change.after.attempts_left != change.before.attempts_left + is_back:
                yield from describe([change])


def slots_are_not_exceeded(history: History) -> Iterator[str]:
    """A process runs at most `max_concurrency` jobs at once."""
    changes: list[tuple[float, int, str]] = []
    for attempt in history.attempts.values():
        changes.append((attempt.began, 1, attempt.process))
        if attempt.ended_at is not None:
            changes.append((attempt.ended_at, -1, attempt.process))
    running: Counter[str] = Counter()
    for at, change, process in sorted(changes):
        running[process] += change
        if running[process] > OPTIONS.max_concurrency:
            yield f"{running[process]} run in {process} at {at:.2f}"


def workers_run_what_they_know(history: History) -> Iterator[str]:
    """No worker claims a job of a type that it does not know."""
    for change in history.changes:
        if change.is_start and change.after is not None:
            row = change.after
            if row.job_type not in history.knows.get(row.worker or "", ()):
                yield from describe([change], f", a {row.job_type}")


def requests_to_stop_arrive(history: History) -> Iterator[str]:
    """An attempt stops soon after the request, unless calls of its process are slow or lost.

    A call also waits for the transactions of others.
    """
    for change in history.changes:
        row = change.after
        if row is None or row.state is not JobState.RUNNING or not row.is_to_stop:
            continue
        attempt = history.attempts.get(Lease(change.job, row.fence))
        if attempt is None or attempt.stop_delay > STOP_TIMEOUT:
            continue
        since, last = change.at - ARRIVES_SECONDS, max(change.at, attempt.began) + ARRIVES_SECONDS
        if history.is_troubled(attempt.process, since, last):
            continue
        last += history.waited(attempt.process, since, last)
        if attempt.ended_at is None or attempt.ended_at > last + attempt.stop_delay:
            yield from describe([change], f", but {attempt}")
