"""Why a pending job waits, in a sentence and from facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from modhost.durations import format_duration
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.workers.view import DO_NOT_STOP, WorkerView
from modhost_background_jobs.model import JobRow, serves
from modhost_background_jobs.model.job_types import LEFT_TO_NEWER
from modhost_background_jobs.model.pauses import PauseRow
from modhost_background_jobs.queries.details import JobDetails
from modhost_background_jobs.queries.held_places import HeldPlace
from modhost_background_jobs.queries.workflows.neighbours import Condition, Neighbour

_ENDS_OF_ONE: Final = {"succeeded": "succeeds", "failed": "fails", "finished": "has finished"}
_ENDS: Final = {
    "succeeded": "all of them succeed",
    "failed": "one of them fails",
    "finished": "all of them have finished",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a job waits.

    Attributes:
        text: the reason.
        until: the moment that the text ends with, if there is one.
        disabled_schedule: the name of its schedule when that was disabled meanwhile.
        jobs: some of those that it waits for, which the text ends with.
        more_jobs: how many there are besides.

    """

    text: str
    until: datetime | None = None
    disabled_schedule: str | None = None
    jobs: Sequence[Neighbour] = ()
    more_jobs: int = 0

    @property
    def sentence(self) -> str:
        """All of it as plain text."""
        end = f" at {self.until:%Y-%m-%d %H:%M:%S} UTC." if self.until else ""
        if self.jobs:
            more = f" and {self.more_jobs:,} more" if self.more_jobs else ""
            end = f" {', '.join(str(job.id) for job in self.jobs)}{more}."
        return f"{self.text}{end}{f' {self.note}' if self.note else ''}"

    @property
    def note(self) -> str:
        """What there is to say besides."""
        if self.disabled_schedule is None:
            return ""
        name = self.disabled_schedule
        return f"Its schedule {name} is disabled meanwhile; this run is not affected."


def why_waiting(
    found: JobDetails,
    now: datetime,
    workers: Sequence[WorkerView],
    *,
    held: HeldPlace | None,
    is_bulk_change: bool,
) -> Waiting | None:
    """Return why a job waits; None for one that does not.

    Args:
        found: the job.
        now: the time.
        workers: all of them.
        held: where it stands among those that a limit holds back.
        is_bulk_change: whether it needs no worker.

    """
    row = found.row
    if row.state is not JobState.PENDING:
        return None
    due_at = max(now, row.execute_at)
    paused = [pause for pause in found.pauses if pause.is_active(due_at)]
    until = None
    if row.on_hold and found.condition is not None:
        return _others(found.condition, found.neighbours.unfinished)
    if row.on_hold:
        text = "It waits for an earlier run of its schedule to finish."
    elif paused and not is_bulk_change:
        text, until = _paused(paused)
    elif row.execute_at > now:
        text, until = _why_later(found), row.execute_at
    elif is_bulk_change:
        text = "It needs no slot of a worker; a host is about to start it."
    else:
        alive = [worker for worker in workers if worker.is_alive]
        able = [worker for worker in alive if row.job_type in worker.row.job_types]
        serving = [worker for worker in able if serves(worker.row.queues, row.queue)]
        consuming = [worker for worker in serving if worker.is_consuming]
        if not serving:
            text = _why_no_worker(row, alive, able)
        elif held is not None:
            text, until = _held(held)
        elif not consuming:
            text = "The workers that would run it are quiet or about to stop."
        else:
            text = _why_no_slot(consuming)
    return Waiting(text, until, found.disabled_schedule)


def _others(condition: Condition, unfinished: Sequence[Neighbour]) -> Waiting:
    """Describe the jobs that have to end first, and on which of their ends it runs."""
    total, left = condition.total, condition.unfinished
    if total == 1:
        text = f"It waits for the job before it, and runs when that {_ENDS_OF_ONE[condition.when]}"
    else:
        text = f"It waits for {left:,} of {total:,} jobs before it, "
        text += f"and runs when {_ENDS[condition.when]}"
    jobs = unfinished[:left]
    return Waiting(f"{text}{':' if jobs else '.'}", jobs=jobs, more_jobs=left - len(jobs))


def describe_pause(pause: PauseRow) -> str:
    """Return what is paused, by whom and why."""
    kind, _, name = (pause.paused_by or "").partition(":")
    who = name if kind in ("user", "system") else f"the {kind} {name}"
    by = f" by {who}" if name else ""
    thing = "queue" if pause.kind == "queue" else "type"
    return f"The {thing} {pause.name} is paused{by}{f' ({pause.reason})' if pause.reason else ''}"


def _paused(pauses: Sequence[PauseRow]) -> tuple[str, datetime | None]:
    """Describe the pause that lasts the longest."""
    last = max(pauses, key=lambda pause: (pause.paused_until is None, pause.paused_until or 0))
    text = describe_pause(last)
    if last.paused_until is None:
        return f"{text} until somebody resumes it.", None
    return f"{text}; the pause ends", last.paused_until


def _why_later(found: JobDetails) -> str:
    row, attempts = found.row, found.attempts
    if attempts and (attempts[-1].error or "").startswith(LEFT_TO_NEWER):
        return (
            f"It waits for a worker with version {row.module_version} of {row.module_name}, "
            "which enqueued it: older ones cannot read its data. They try it again"
        )
    if row.attempt:
        return f"Its attempt {row.attempt} failed; the next one is due"
    return "It is due"


def _why_no_worker(row: JobRow, alive: Sequence[WorkerView], able: Sequence[WorkerView]) -> str:
    if not alive:
        return "No worker is alive: start one with `modhost worker`."
    if not able:
        return f"No living worker knows the type {row.job_type}; deploy the module that has it."
    which = "" if len(able) == len(alive) else f" that knows the type {row.job_type}"
    return (
        f"No living worker{which} serves the queue {row.queue}: start one whose option `queues` "
        "has it."
    )


def _held(held: HeldPlace) -> tuple[str, datetime | None]:
    """Describe a limit, how it is used, how many go first, and when the turn comes."""
    key = f" for the key {held.key.key}" if held.key.key else ""
    jobs = f"{held.limit:,} job{'' if held.limit == 1 else 's'}"
    before = f"{held.before:,}{' or more' if held.is_capped else ''}"
    waits = "waits" if held.before == 1 and not held.is_capped else "wait"
    place = f"{before} {waits} before it" if held.before else "it is next"
    if held.period is None:
        use = f"{held.running:,} {'runs' if held.running == 1 else 'run'} now"
        text = f"The limit {held.key.limit} lets {jobs} run at a time{key}: {use}, and {place}."
        return text, None
    period = format_duration(held.period)
    text = f"The limit {held.key.limit} lets {jobs} start within {period}{key}: {place}"
    if held.turn_at is None:
        return f"{text}.", None
    earliest = ", at the earliest" if held.before else ""
    return f"{text}, and its turn comes{earliest}", held.turn_at


def _why_no_slot(able: Sequence[WorkerView]) -> str:
    if all(worker.is_stuck for worker in able):
        return f"All slots of the workers that know its type are held by {DO_NOT_STOP}."
    if all(worker.is_busy for worker in able):
        return "All slots of the workers that know its type are busy."
    return "It is due, and a worker is about to claim it."
