"""The invariants of every history, whatever failed in it."""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Lease
from modhost_background_jobs.worker.finishing.finisher import FLUSH_TIMEOUT
from modhost_background_jobs.worker.shutdown import RELEASE_TIMEOUT, STOP_TIMEOUT
from simulation.history import Attempt, History, StepEvent, describe, process_of, short
from simulation.workers.worker_invariants import (
    only_the_silent_are_taken_for_dead,
    requests_to_stop_arrive,
    rescues_spend_no_attempt,
    slots_are_not_exceeded,
    the_silent_begin_nothing,
    workers_run_what_they_know,
)

PEOPLE = "people"
SHUTDOWN_SECONDS = 2 * STOP_TIMEOUT + RELEASE_TIMEOUT
"""How long after the request to stop jobs may be released."""


Check: TypeAlias = Callable[[History], Iterator[str]]


def violations(history: History, without: Collection[Check] = ()) -> list[str]:
    """Return a sentence for each violated invariant."""
    checks = (
        nothing_is_lost,
        fences_only_grow,
        final_states_are_final,
        a_job_that_is_to_stop_is_not_run_again,
        no_attempt_is_too_many,
        nobody_else_ends_an_attempt,
        attempts_run_one_at_a_time,
        states_match_what_the_code_did,
        what_was_logged_is_stored_with_the_end,
        only_the_silent_are_taken_for_dead,
        the_silent_begin_nothing,
        rescues_spend_no_attempt,
        slots_are_not_exceeded,
        runs_of_a_schedule_do_not_overlap,
        what_is_done_is_not_done_again,
        workers_run_what_they_know,
        requests_to_stop_arrive,
        due_times_fire_once,
    )
    return history.violations + [
        f"{check.__name__.replace('_', ' ')}: {violation}"
        for check in checks
        if check not in without
        for violation in check(history)
    ]


def nothing_is_lost(history: History) -> Iterator[str]:
    """Every acknowledged job exists and has finished; so has every other job that exists."""
    for job in history.acknowledged - history.rows.keys():
        yield f"{short(job)} is gone"
    for job, row in history.rows.items():
        if not row.state.is_final:
            yield f"{short(job)} is {row.state.value} still, of {row.worker}"
    yield from describe(change for change in history.changes if change.after is None)


def fences_only_grow(history: History) -> Iterator[str]:
    """They grow by one with each claim, and at no other time."""
    for change in history.changes:
        before = 0 if change.before is None else change.before.fence
        is_claim = change.after is not None and change.after.state is JobState.RUNNING
        was_running = change.before is not None and change.before.state is JobState.RUNNING
        step = int(is_claim and not was_running)
        if change.after is not None and change.after.fence != before + step:
            yield from describe([change])


def final_states_are_final(history: History) -> Iterator[str]:
    """Unless people retry a job that has failed."""
    for change in history.changes:
        if change.before is None or not change.before.state.is_final:
            continue
        states = (change.before.state, change.after and change.after.state)
        if change.by != PEOPLE or states != (JobState.FAILED, JobState.PENDING):
            yield from describe([change])


def a_job_that_is_to_stop_is_not_run_again(history: History) -> Iterator[str]:
    """It ends: it neither waits for another attempt nor loses the request."""
    for change in history.changes:
        if change.before is None or not change.before.is_to_stop or change.after is None:
            continue
        runs_on = change.after.state is JobState.RUNNING and change.after.is_to_stop
        if not (change.after.state.is_final or runs_on):
            yield from describe([change])


def no_attempt_is_too_many(history: History) -> Iterator[str]:
    """No job is claimed that has no attempts left."""
    for change in history.changes:
        if change.after is not None and change.after.attempts_left < 0:
            yield from describe([change])


def nobody_else_ends_an_attempt(history: History) -> Iterator[str]:
    """Only its own process and a rescue end an attempt: no zombie, and no other process."""
    for change in history.changes:
        if not change.lease_ended or change.is_rescue or change.before is None:
            continue
        if process_of(change.before.worker or "") != change.by:
            yield from describe([change])


def attempts_run_one_at_a_time(history: History) -> Iterator[str]:
    """Each begins after the end of the previous one, or after that one's worker was given up."""
    given_up = {(c.job, c.before.fence) for c in history.changes if c.is_rescue and c.before}
    given_up |= _abandoned(history)
    by_job: dict[object, list[Attempt]] = defaultdict(list)
    for attempt in sorted(history.attempts.values(), key=lambda each: each.lease.fence):
        for earlier in by_job[attempt.lease.job_id]:
            has_ended = earlier.ended_at is not None and earlier.ended_at <= attempt.began
            has_ended = has_ended or earlier.stop_delay > STOP_TIMEOUT
            if not has_ended and tuple(earlier.lease) not in given_up:
                yield f"{short(attempt.lease.job_id)}: {earlier} and {attempt}"
        by_job[attempt.lease.job_id].append(attempt)


def states_match_what_the_code_did(history: History) -> Iterator[str]:
    """A process ends its lease after the code has ended; a completed job has returned."""
    abandoned = _abandoned(history)
    for change in history.changes:
        if not change.lease_ended or change.is_rescue or change.before is None:
            continue
        attempt = history.attempts.get(Lease(change.job, change.before.fence))
        has_ended = attempt is None or (
            attempt.ended_at is not None and attempt.ended_at <= change.at
        )
        has_ended = has_ended or (attempt is not None and attempt.stop_delay > STOP_TIMEOUT)
        has_ended = has_ended or (change.job, change.before.fence) in abandoned
        how = None if attempt is None else attempt.how
        wanted = {JobState.COMPLETED: "returned", JobState.FAILED: "raised"}
        state = change.after.state if change.after else None
        if state is JobState.FAILED and how == "stopped":
            continue  # timed out, or cancelled by itself
        is_lost = state is JobState.PENDING and how == "returned"
        if is_lost or not has_ended or how != wanted.get(state, how):  # type: ignore[arg-type]
            yield from describe([change], f", but {attempt}")


def _abandoned(history: History) -> set[tuple[UUID, int]]:
    """Return the leases of attempts that a shutdown may not have waited for.

    While one stores a step it hears the request to stop once the database has answered, which took
    longer than the worker waits for it.
    """
    have_steps = {job for job, _ in history.steps}
    return {
        (change.job, change.before.fence)
        for change in history.changes
        if change.lease_ended
        and change.before
        and change.job in have_steps
        and change.after
        and change.after.state in (JobState.PENDING, JobState.CANCELLED)
        and change.at >= history.asked_to_stop.get(change.by, math.inf)
        and any(
            end - begin > STOP_TIMEOUT
            and begin <= change.at
            and end >= change.at - SHUTDOWN_SECONDS
            for begin, end in history.troubles.get(change.by, ())
        )
    }


def what_was_logged_is_stored_with_the_end(history: History) -> Iterator[str]:
    """Once an end is stored, so are all log lines of its attempt.

    A worker that shuts down tries to write them for some seconds before it hands a job back, which
    is cancelled if somebody has asked for that.
    """
    for change in history.changes:
        if not change.lease_ended or change.is_rescue or change.before is None:
            continue
        attempt = history.attempts.get(Lease(change.job, change.before.fence))
        state = change.after and change.after.state
        is_back = state is JobState.PENDING or (
            state is JobState.CANCELLED
            and change.at >= history.asked_to_stop.get(change.by, math.inf)
        )
        is_stopped = is_back and attempt is not None and attempt.how == "stopped"
        if is_stopped and history.is_troubled(change.by, change.at - FLUSH_TIMEOUT, change.at):
            continue
        lines = {(change.job, line) for line in attempt.lines} if attempt else set()
        if lines - history.lines:
            yield from describe([change], f" without {lines - history.lines}")


def runs_of_a_schedule_do_not_overlap(history: History) -> Iterator[str]:
    """There is one schedule, whose runs are skipped while an earlier one has not finished."""
    live: set[UUID] = set()
    for change in history.changes:
        row = change.after
        if row is not None and row.is_recurring:
            (live.discard if row.state.is_final else live.add)(change.job)
        if len(live) > 1:
            yield from describe([change])


def due_times_fire_once(history: History) -> Iterator[str]:
    """Of a due time there is one run, which may have been skipped."""
    runs: dict[str, UUID] = {}
    for change in history.changes:
        due_at = change.after and change.after.due_at
        if due_at is not None and runs.setdefault(due_at, change.job) != change.job:
            yield from describe([change], f", like {short(runs[due_at])}")


def what_is_done_is_not_done_again(history: History) -> Iterator[str]:
    """Once an attempt knows the result of a step no later one does it, and all get the same."""
    for (job, name), events in history.steps.items():
        known: StepEvent | None = None
        for event in events:
            is_again = event.what == "done" and known is not None and event.fence > known.fence
            is_known = event.what == "known"
            if is_again or (is_known and known is not None and event.result != known.result):
                yield f"{name} of {short(job)}: {event} after {known}"
            known = event if is_known and known is None else known
        stored = history.stored_steps.get((job, name))
        if known is not None and stored != known.result:
            yield f"{name} of {short(job)}: {known}, but it was stored under the fence {stored}"
