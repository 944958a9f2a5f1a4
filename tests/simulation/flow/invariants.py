"""What holds of limits, order and pauses in every history, whatever failed in it."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import LimitKey, NewJob
from simulation.flow.control import LIMIT_OF
from simulation.flow.replay import Moment, Replay, due_at
from simulation.flow.turns import (
    fair_keys_have_one_turn_in_a_round,
    fair_keys_take_turns,
    new_fair_keys_go_first,
)
from simulation.history import Change, short
from simulation.rows import Row
from simulation.workers.hosts import OPTIONS

COMMIT_SECONDS = 0.1
"""How long after a claim was granted it may be committed here."""
PAUSE_SECONDS = 1.0
SKEW_SECONDS = 3.0
KNOWN_SECONDS = 4.0
"""How long a worker may take to learn of lanes without a notification."""
FREED_SECONDS = 15.0
AGING = OPTIONS.priority_aging.total_seconds()


def flow_violations(replay: Replay, calm_at: float) -> list[str]:
    """Return a sentence for each violated invariant of flow control."""
    checks = (
        no_key_runs_more_than_its_concurrency,
        no_window_has_more_starts_than_the_rate,
        nothing_paused_starts,
        jobs_of_a_lane_start_in_order,
        jobs_of_a_key_start_in_order,
        higher_priorities_go_first,
        fair_keys_take_turns,
        fair_keys_have_one_turn_in_a_round,
        new_fair_keys_go_first,
        no_two_jobs_of_a_unique_key_live,
        no_two_jobs_come_within_a_period,
    )
    found = [(check.__name__, each) for check in checks for each in check(replay)]
    found += [("nothing_stays_held", each) for each in nothing_stays_held(replay, calm_at)]
    return [f"{name.replace('_', ' ')}: {violation}" for name, violation in found]


def no_key_runs_more_than_its_concurrency(replay: Replay) -> Iterator[str]:
    """At no instant do more jobs of a key run, unless the number was lowered meanwhile."""
    for moment in replay.moments():
        keys = {key for each in moment.starts for key in replay.flow(each.job).limits}
        for key in keys:
            running, most = replay.running(moment, key), replay.control.most(key, moment.at)
            if LIMIT_OF[key.limit].period is None and running > most:
                yield f"{running} of {tuple(key)} run at {moment.at:.2f}, and {most} may"


def no_window_has_more_starts_than_the_rate(replay: Replay) -> Iterator[str]:
    """No start has too many others in the period before it."""
    starts: dict[LimitKey, list[float]] = defaultdict(list)
    for moment in replay.moments():
        for start in moment.starts:
            for key in replay.flow(start.job).limits:
                if (period := LIMIT_OF[key.limit].period) is None:
                    continue
                since = moment.at - period + COMMIT_SECONDS
                starts[key] = [each for each in starts[key] if each > since] + [moment.at]
                most = replay.control.most(key, moment.at)
                if len(starts[key]) > most:
                    times = ", ".join(f"{each:.2f}" for each in starts[key])
                    yield f"{tuple(key)} starts at {times}, and {most} may within {period:g} s"


def nothing_paused_starts(replay: Replay) -> Iterator[str]:
    """No attempt begins later than a second after a pause, except of workers in trouble."""
    for attempt in replay.history.attempts.values():
        job, at = attempt.lease.job_id, attempt.began
        is_paused = replay.is_paused(job, at, before=PAUSE_SECONDS, after=-SKEW_SECONDS)
        if is_paused and not replay.is_troubled(attempt.process, at):
            yield f"{short(job)} begins at {at:.2f}"


def jobs_of_a_lane_start_in_order(replay: Replay) -> Iterator[str]:
    """Whoever starts leaves no job of its lane behind that is before it and could start."""
    for moment in replay.moments():
        for start in moment.starts:
            if (lane := replay.lane(start.job)) is None or start.before is None:
                continue
            own = (start.before.place or "", start.job)
            for job in _left(replay, moment):
                if replay.lane(job) == lane and (moment.rows[job].place or "", job) < own:
                    yield f"{short(start.job)} starts at {moment.at:.2f} before {short(job)}"


def jobs_of_a_key_start_in_order(replay: Replay) -> Iterator[str]:
    """Whoever starts leaves no job of its lane held behind its key that is before it.

    One that another key has held back until then comes too late; so does one that stood behind such
    a job, and was held back and let go of within the transaction.
    """
    for moment in replay.moments():
        first = _first_held_before(replay, moment)
        late = {
            change.job
            for change in moment.changes
            if change.before
            and change.after
            and change.before.held_by
            and change.before.held_by != change.after.held_by
        }
        held = defaultdict(list)
        for job, row in moment.rows.items():
            if row.held_by and row.state is JobState.PENDING and job not in late:
                held[row.held_by, replay.lane(job)].append((row.place or "", job))
        for start in moment.starts:
            place = (start.before.place or "", start.job) if start.before else ("", start.job)
            for key in replay.flow(start.job).limits:
                lane = replay.lane(start.job)
                before = min(held[key.stored, lane], default=place)
                others = [each for each in replay.flow(before[1]).limits if each != key]
                is_late = any(first.get((each.stored, lane), before) < before for each in others)
                if before < place and not is_late:
                    yield f"{short(start.job)} starts at {moment.at:.2f} before {short(before[1])}"


def _first_held_before(
    replay: Replay, moment: Moment
) -> dict[tuple[str, str | None], tuple[str, UUID]]:
    """Return the first job that each key held back in each lane before a commit, with its place."""
    rows: dict[UUID, Row | None] = {**moment.rows}
    rows |= {change.job: change.before for change in moment.changes}
    first: dict[tuple[str, str | None], tuple[str, UUID]] = {}
    for job, row in rows.items():
        if row is not None and row.held_by and row.state is JobState.PENDING:
            key, place = (row.held_by, replay.lane(job)), (row.place or "", job)
            first[key] = min(first.get(key, place), place)
    return first


def higher_priorities_go_first(replay: Replay) -> Iterator[str]:
    """Whoever starts leaves no job behind that has waited for long and goes before it."""
    for moment in replay.moments():
        for start in moment.starts:
            if start.before is None or replay.is_fair(start.job):
                continue
            by = start.after.worker if start.after else None
            if replay.is_troubled(by, moment.at, 2 * KNOWN_SECONDS):
                continue
            own = due_at(start.before) - AGING * replay.flow(start.job).priority
            for job in _left(replay, moment):
                flow = replay.flow(job)
                due = due_at(moment.rows[job]) if not replay.is_fair(job) else moment.at
                waits = moment.at - max(due, moment.claimable[job])
                if waits < KNOWN_SECONDS + SKEW_SECONDS or flow.queue == "bulk":
                    continue
                if replay.is_paused(job, moment.at, after=KNOWN_SECONDS):
                    continue
                if due - AGING * flow.priority < own:
                    yield f"{short(start.job)} starts at {moment.at:.2f} before {short(job)}"


def no_two_jobs_of_a_unique_key_live(replay: Replay) -> Iterator[str]:
    """Of a key there is one job that has not finished, or one that has not started."""
    without: set[UUID] = set()
    for moment in replay.moments():
        without -= {change.job for change in moment.changes if _has_finished(change.after)}
        back = sorted(change.job for change in moment.changes if _comes_back(change))
        live: dict[str, list[UUID]] = defaultdict(list)
        for job in sorted(moment.rows.keys() - without, key=lambda job: (job in back, job)):
            row, unique = moment.rows[job], replay.flow(job).unique
            if unique is None or unique.stored is None or row.state.is_final:
                continue
            # One that has started, and comes back, no longer stands in the way of others.
            if unique.until == "finished" or row.fence == 0:
                if job in back and live[unique.digest]:
                    without.add(job)
                else:
                    live[unique.digest].append(job)
        for digest, jobs in live.items():
            new = {change.job for change in moment.changes}
            if len(jobs) > 1 and new & set(jobs):
                yield f"{' and '.join(map(short, jobs))} are {digest} at {moment.at:.2f}"


def _has_finished(row: Row | None) -> bool:
    return row is None or row.state.is_final


def _comes_back(change: Change) -> bool:
    """Return whether a job lives again by no wish of its own: if it must, without its key."""
    before, after = change.before, change.after
    if before is None or after is None or after.state.is_final:
        return False
    was_cancelled = before.state is JobState.CANCELLED
    was_taken_for_dead = before.state is JobState.FAILED and after.state is JobState.RUNNING
    return was_cancelled or was_taken_for_dead


def no_two_jobs_come_within_a_period(replay: Replay) -> Iterator[str]:
    """Of a key that has a period, no job is stored that was enqueued within that of another."""
    last: dict[str, NewJob] = {}
    stored = {change.job for change in replay.history.changes if change.before is None}
    of_keys = [replay.control.jobs[job] for job in stored & replay.control.jobs.keys()]
    for job in sorted(of_keys, key=lambda each: each.created_at):
        if (unique := job.flow.unique) is None or not isinstance(unique.until, timedelta):
            continue
        before, last[unique.digest] = last.get(unique.digest), job
        if before is not None and job.created_at - before.created_at < unique.until:
            yield f"{short(before.id)} and {short(job.id)} are {unique.digest}"


def nothing_stays_held(replay: Replay, calm_at: float) -> Iterator[str]:
    """In the calm no job stays behind a key that has room."""
    free_since: dict[UUID, float] = {}
    for moment in replay.moments():
        held = {}
        for job, row in moment.rows.items():
            if row.held_by and row.state is JobState.PENDING:
                key = LimitKey.of(row.held_by)
                most = replay.control.most(key, moment.at)
                if LIMIT_OF[key.limit].period is None and replay.running(moment, key) < most:
                    held[job] = max(calm_at + 40, free_since.get(job, moment.at))
        for job, since in free_since.items():
            if moment.at - since > FREED_SECONDS:
                yield f"{short(job)} is held from {since:.2f} to {moment.at:.2f}"
        free_since = held


def _left(replay: Replay, moment: Moment) -> list[UUID]:
    """Return the jobs that could be claimed before the commit, and still can.

    Not those of keys that hold back other jobs than before: they may have been held back, and let
    go at the end of the same commit.
    """
    rows, tended = moment.rows, moment.tended
    return [
        job
        for job in moment.claimable
        if job in rows
        and rows[job].can_be_claimed
        and not tended.intersection(replay.flow(job).limits)
    ]
