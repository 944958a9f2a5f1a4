"""What needs somebody's attention."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from modhost_background_jobs.inspection.snapshot import Snapshot
from modhost_background_jobs.inspection.workers.view import DO_NOT_STOP
from modhost_background_jobs.model import ScheduleRow
from modhost_background_jobs.model.schedule import LATE, ScheduleProblem
from modhost_background_jobs.storage.clocks.shared_clock import describe_skew


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs attention, with the page that shows more of it."""

    title: str
    text: str
    href: str | None = None


def alerts_of(snapshot: Snapshot) -> list[Alert]:
    """Return the alerts, the most pressing first."""
    return [
        *_no_worker(snapshot),
        *_silent_workers(snapshot),
        *_blocked(snapshot),
        *_unresponsive(snapshot),
        *_wrong_clocks(snapshot),
        *_unknown_types(snapshot),
        *_unserved_queues(snapshot),
        *_unreadable_schedules(snapshot),
        *_late_schedules(snapshot),
    ]


def health_problems(snapshot: Snapshot) -> list[str]:
    """Return what keeps jobs from running, in words without names, for probes."""
    is_late = any(each.oldest_at < snapshot.now - LATE for each in snapshot.pending)
    problems = []
    if (is_late or snapshot.late_schedules) and not snapshot.consuming:
        state = "no worker is alive" if not snapshot.alive else "all living workers are quiet"
        problems.append(f"Jobs or schedules are due, and {state}.")
    if stuck := [worker for worker in snapshot.unresponsive if worker.is_stuck]:
        problems.append(f"All slots of some workers are held by {DO_NOT_STOP} ({len(stuck)}).")
    if wrong := snapshot.wrong_clocks:
        problems.append(f"The clocks of some workers are wrong ({len(wrong)}).")
    if unknown := _pending_unknown_types(snapshot):
        problems.append(f"No worker knows the type of some pending jobs ({len(unknown)}).")
    if snapshot.consuming and snapshot.unserved:
        unserved = len(snapshot.unserved)
        problems.append(f"No worker serves the queue of some pending jobs ({unserved}).")
    if unreadable := len(_unreadable(snapshot)):
        problems.append(f"Some schedules cannot fire on this machine ({unreadable}).")
    return problems


def _no_worker(snapshot: Snapshot) -> list[Alert]:
    if snapshot.consuming:
        return []
    due = " Jobs are due and wait." if snapshot.due else ""
    text = f"No worker is alive.{due} Start one with `modhost worker`."
    if snapshot.alive:
        text = f"All living workers are quiet or about to stop.{due} Resume one, or start another."
    return [Alert("Nothing executes jobs", text, "/admin/jobs/workers")]


def _silent_workers(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(
            f"The worker {worker.row.name} is not responding",
            f"Its last heartbeat was at {worker.row.heartbeat_at:%H:%M:%S} UTC; the next sweep "
            "gives its jobs to other workers.",
            "/admin/jobs/workers",
        )
        for worker in snapshot.workers
        if not worker.is_alive
    ]


def _blocked(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(
            f"The event loop of the worker {worker.row.name} is blocked",
            f"It has not turned since {worker.row.blocked_since:%H:%M:%S} UTC, and all its jobs "
            "wait; its log names the job that blocks it.",
            "/admin/jobs/workers",
        )
        for worker in snapshot.alive
        if worker.row.blocked_since
    ]


def _unresponsive(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(
            f"{worker.held} on the worker {worker.row.name}",
            "They were cancelled or timed out, and a thread cannot be ended from outside. Restart "
            "the worker, which releases its other jobs.",
            "/admin/jobs/workers",
        )
        for worker in snapshot.unresponsive
    ]


def _wrong_clocks(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(
            f"The clock of the worker {worker.row.name} is wrong",
            f"It is {describe_skew(timedelta(seconds=worker.row.clock_skew))} the one that all "
            "share: the worker runs jobs, and fires no schedules and deletes no history until "
            "they agree. Synchronize the clocks by NTP.",
            "/admin/jobs/workers",
        )
        for worker in snapshot.wrong_clocks
    ]


def _unknown_types(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(
            f"No worker knows the type {job_type}",
            "Its jobs wait until a worker runs that has the module with this type.",
            f"/admin/jobs/list?state=Pending&job_type={job_type}",
        )
        for job_type in _pending_unknown_types(snapshot)
    ]


def _pending_unknown_types(snapshot: Snapshot) -> list[str]:
    known = {name for worker in snapshot.alive for name in worker.row.job_types}
    # Without any worker it is not the type that is the trouble.
    return [name for name in snapshot.pending_types if known and name not in known]


def _unserved_queues(snapshot: Snapshot) -> list[Alert]:
    # Nor is it the queue.
    return [
        Alert(
            f"No worker serves the queue {queue.name}",
            f"{queue.waiting} in it. Start a worker that has it in its option `queues`, and knows "
            "the types of its jobs.",
            f"/admin/jobs/list?{urlencode({'state': 'Pending', 'queue': queue.name})}",
        )
        for queue in (snapshot.unserved if snapshot.alive else ())
    ]


def _unreadable_schedules(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(f"The schedule {row.name} cannot fire", problem.text, "/admin/jobs/recurring")
        for row, problem in _unreadable(snapshot)
    ]


def _unreadable(snapshot: Snapshot) -> list[tuple[ScheduleRow, ScheduleProblem]]:
    return [
        (row, problem)
        for row in snapshot.schedules
        if row.is_enabled and (problem := row.problem) is not None and not problem.can_fire
    ]


def _late_schedules(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(
            f"The schedule {row.name} is late",
            f"It was due at {row.next_run_at:%Y-%m-%d %H:%M} UTC and has not fired: "
            "schedules fire only while a worker runs.",
            "/admin/jobs/recurring",
        )
        for row in snapshot.late_schedules
    ]
