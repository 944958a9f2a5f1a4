"""What `modhost doctor` finds wrong with the queue: work that no worker could do."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from modhost.checks import Finding, Rule
from modhost_background_jobs.inspection.snapshot import Snapshot, Snapshots
from modhost_background_jobs.model import JobTypes, ScheduleRow
from modhost_background_jobs.storage.clocks.shared_clock import describe_skew

UNKNOWN_RECURRING_TYPE: Final = Rule("MH602", "Recurring job of an unknown type")
UNREADABLE_SCHEDULE: Final = Rule("MH608", "Recurring job that cannot fire on this machine")
OUTDATED_SCHEDULE: Final = Rule("MH609", "Recurring job that would be refused today", "warning")
LEFT_OUT_SCHEDULE: Final = Rule("MH610", "Recurring job that no start has put", "warning")
WRONG_CLOCK: Final = Rule("MH611", "Clock of a worker differs from the shared one", "warning")
STUCK_SLOTS: Final = Rule("MH612", "Slots held by jobs that do not stop", "warning")
UNSERVED_QUEUE: Final = Rule("MH615", "Pending jobs of a queue that no worker serves", "warning")
UNKNOWN_PENDING_TYPE: Final = Rule("MH603", "Pending jobs of an unknown type", "warning")


class QueueDiagnosis:
    """Compares the types of what is to run with those that somebody could run.

    Those are the types that are registered here, and those of the living workers, which may have
    other modules.
    """

    def __init__(self, types: JobTypes, snapshots: Snapshots) -> None:
        self._types = types
        self._snapshots = snapshots

    async def findings(self) -> list[Finding]:
        """Return a finding for each enabled schedule, and for each type of pending jobs."""
        snapshot = await self._snapshots.take()
        known = {*self._types.names}
        known.update(name for worker in snapshot.alive for name in worker.row.job_types)
        schedules = [
            Finding(
                UNKNOWN_RECURRING_TYPE,
                f"the recurring job {row.name!r} is of type {row.job_type!r}, which neither this "
                "host nor any living worker has.",
                f"{_bring(row.module_name)}, or delete the recurring job by `modhost jobs "
                f"recurring delete {row.id}`.",
            )
            for row in snapshot.schedules
            if row.is_enabled and row.job_type not in known
        ]
        pending = [
            Finding(
                UNKNOWN_PENDING_TYPE,
                f"jobs of type {job_type!r} are pending, the first due at "
                f"{oldest_at:%Y-%m-%d %H:%M} UTC, and neither this host nor any living worker "
                "has that type.",
                f"{_bring(job_type.partition('.')[0])}, or cancel the jobs.",
            )
            for job_type, oldest_at in snapshot.pending_types.items()
            if job_type not in known
        ]
        fit = [*_unfit(snapshot), *_left_out(snapshot), *_wrong_clocks(snapshot)]
        return [*schedules, *fit, *_stuck(snapshot), *pending, *_unserved(snapshot)]


def _unserved(snapshot: Snapshot) -> Iterator[Finding]:
    which = "no living worker serves"
    if not snapshot.consuming:
        state = "all living workers are quiet" if snapshot.alive else "no worker is alive"
        which = f"this host would not serve; {state}"
    for queue in snapshot.unserved:
        yield Finding(
            UNSERVED_QUEUE,
            f"{queue.waiting} in the queue {queue.name!r}, which {which}.",
            f"Start a worker whose option `queues` has {queue.name!r} and that knows the type, "
            "or cancel the jobs.",
        )


def _stuck(snapshot: Snapshot) -> Iterator[Finding]:
    for worker in snapshot.unresponsive:
        yield Finding(
            STUCK_SLOTS,
            f"{worker.held} on the worker {worker.row.name}.",
            f"Restart that worker (process {worker.row.process} on {worker.row.host}). Let the "
            'jobs check context.cancelled, or give them executor = "process", which can be killed.',
        )


def _wrong_clocks(snapshot: Snapshot) -> Iterator[Finding]:
    for worker in snapshot.wrong_clocks:
        skew = describe_skew(timedelta(seconds=worker.row.clock_skew))
        yield Finding(
            WRONG_CLOCK,
            f"the clock of the worker {worker.row.name} is {skew} the one that all share; it fires "
            "no schedules and deletes no history.",
            f"Synchronize the clock of {worker.row.host} by NTP.",
        )


def _unfit(snapshot: Snapshot) -> Iterator[Finding]:
    """Find what is wrong with the stored expressions, zones and policies of what is enabled."""
    for row in snapshot.schedules:
        if row.is_enabled and (problem := row.problem) is not None:
            yield Finding(
                OUTDATED_SCHEDULE if problem.can_fire else UNREADABLE_SCHEDULE,
                f"{_named(row)}: {problem.text}",
                "Change it where it is added, or disable it by `modhost jobs recurring disable "
                f"{row.id}`.",
            )


def _left_out(snapshot: Snapshot) -> Iterator[Finding]:
    for row in snapshot.schedules:
        if row.is_enabled and row.left_out_since is not None:
            yield Finding(
                LEFT_OUT_SCHEDULE,
                f"{_named(row)} fires, and no start has put it since "
                f"{row.left_out_since:%Y-%m-%d %H:%M} UTC: it was renamed or deleted in code.",
                f"Delete it by `modhost jobs recurring delete {row.id}`, let its module declare "
                "its recurring jobs by `set_recurring`, or add it again at run time if that is "
                "where it comes from.",
            )


def _named(row: ScheduleRow) -> str:
    return f"the recurring job {row.name!r} of the module {row.module_name!r}"


def _bring(module: str) -> str:
    return (
        f"Install and enable the module that has it ({module!r}), name the type in the `aliases` "
        "of the job class that was renamed"
    )
