"""What holds of the turns of fair jobs: each key's first, then each key's second, and so on."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Lease
from simulation.flow.replay import Moment, Replay
from simulation.history import Change, short
from simulation.rows import Row

TURNS = 3
"""So many jobs of another key may start before the first job of a key: its turns in the round under
way and in the next, and one that came back with the place that it had."""
ROUND = timedelta(milliseconds=1)
UNPLACED = "2000"

Key = tuple[str | None, str | None]
"""A lane, and a key of its jobs."""


def fair_keys_take_turns(replay: Replay) -> Iterator[str]:
    """The first job of a key waits for a turn of each other key, and not for their backlogs.

    A job that comes back with its place, however often, is one.
    """
    started: dict[UUID, dict[str | None, set[UUID]]] = {}
    for moment in replay.moments():
        placed = {
            job
            for job, row in moment.rows.items()
            if replay.is_fair(job) and row.can_be_claimed and (row.place or "") < "2000"
        }
        for job in placed:
            rivals = {other for other in placed if _are_alike(replay, job, other)}
            if min(rivals, key=lambda each: (moment.rows[each].place or "", each)) == job:
                started.setdefault(job, defaultdict(set))
        for start in moment.starts:
            for key, jobs in started.pop(start.job, {}).items():
                if len(jobs) > TURNS:
                    at = f"{short(start.job)}, which starts at {moment.at:.2f}"
                    yield f"{len(jobs)} jobs of {key} start before {at}"
        for start in moment.starts:
            for job, of_keys in started.items():
                own, key = replay.flow(start.job).fair_key, replay.flow(job).fair_key
                if replay.lane(start.job) == replay.lane(job) and own != key:
                    of_keys[own].add(start.job)


def fair_keys_have_one_turn_in_a_round(replay: Replay) -> Iterator[str]:
    """No two jobs of a key start in the same round, unless the first comes back, or is retried."""
    started: dict[tuple[Key, datetime], UUID] = {}
    for moment in replay.moments():
        for start in moment.starts:
            if start.before is None or not _is_placed(replay, start.job, start.before):
                continue
            turn = (_key(replay, start.job), _round(start.before))
            other = started.setdefault(turn, start.job)
            if other != start.job:
                yield f"{short(start.job)} starts at {moment.at:.2f} in the round of {short(other)}"
        back = set(_turns_given_back(moment))
        started = {turn: job for turn, job in started.items() if job not in back}


def new_fair_keys_go_first(replay: Replay) -> Iterator[str]:
    """Who has had no turn in the round under way goes before those that have waited for theirs."""
    waiting: dict[UUID, Row] = {}
    of_keys: dict[Key, datetime] = {}
    started: dict[UUID, datetime] = {}
    for moment in replay.moments():
        for key, change in _first_places(replay, moment).items():
            rivals = [job for job in waiting if replay.lane(job) == replay.lane(change.job)]
            if not rivals or any(_key(replay, job) == key for job in rivals):
                continue
            begin = min(_round(waiting[job]) for job in rivals)
            turns = [
                turn
                for job, turn in started.items()
                if replay.lane(job) == key[0] and not _is_nobodys(replay, moment, job)
            ]
            is_under_way = max(turns, default=begin - 2 * ROUND) >= begin - ROUND
            has_had_its_turn = key in of_keys and of_keys[key] >= begin
            if is_under_way and not has_had_its_turn and _place(change.after) != begin:
                yield f"{short(change.job)} does not go first at {moment.at:.2f}"
        for start in moment.starts:
            if start.before is not None and _is_placed(replay, start.job, start.before):
                key, turn = _key(replay, start.job), _round(start.before)
                of_keys[key] = max(turn, of_keys.get(key, turn))
                started[start.job] = turn
        waiting = {job: row for job, row in moment.rows.items() if _is_placed(replay, job, row)}
        for job in _turns_given_back(moment):
            started.pop(job, None)


def _turns_given_back(moment: Moment) -> Iterator[UUID]:
    """Yield jobs that have started, and wait again as if they had not."""
    return (each.job for each in moment.changes if _comes_back(each) or _is_retried(each))


def _comes_back(change: Change) -> bool:
    """Return whether a job waits for another turn, or has its place again."""
    is_pending = change.after is not None and change.after.state is JobState.PENDING
    return change.lease_ended and is_pending


def _is_nobodys(replay: Replay, moment: Moment, job: UUID) -> bool:
    """Return whether a job was claimed, and its worker never learned of it, and may have left."""
    row = moment.rows.get(job)
    if row is None or row.state is not JobState.RUNNING:
        return False
    return Lease(job, row.fence) not in replay.history.attempts


def _is_retried(change: Change) -> bool:
    """Return whether people have a failed job run as if it were new."""
    before, after = change.before, change.after
    was_failed = before is not None and before.state is JobState.FAILED
    return was_failed and after is not None and after.state is JobState.PENDING


def _is_placed(replay: Replay, job: UUID, row: Row) -> bool:
    return replay.is_fair(job) and row.can_be_claimed and (row.place or "") < UNPLACED


def _first_places(replay: Replay, moment: Moment) -> dict[Key, Change]:
    """Return the changes that give jobs their places, of each key the first."""
    found: dict[Key, Change] = {}
    for change in moment.changes:
        job, before, after = change.job, change.before, change.after
        is_to_place = before is None or before.state is JobState.PENDING
        if after is None or not is_to_place or not _is_placed(replay, job, after):
            continue
        if before is None or not _is_placed(replay, job, before):
            first = found.setdefault(_key(replay, job), change)
            if _place(after) < _place(first.after):
                found[_key(replay, job)] = change
    return found


def _place(row: Row | None) -> datetime:
    return datetime.fromisoformat((row and row.place) or "")


def _round(row: Row) -> datetime:
    place = _place(row)
    return place.replace(microsecond=place.microsecond // 1000 * 1000)


def _key(replay: Replay, job: UUID) -> Key:
    return replay.lane(job), replay.flow(job).fair_key


def _are_alike(replay: Replay, job: UUID, other: UUID) -> bool:
    is_same_key = replay.flow(job).fair_key == replay.flow(other).fair_key
    return is_same_key and replay.lane(job) == replay.lane(other)
