"""What somebody should look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from modhost_background_jobs.monitoring.snapshot import Snapshot
from modhost_background_jobs.queue.schedules import Row

LATE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody should look at."""

    title: str
    text: str
    href: str | None = None


def alerts_of(snapshot: Snapshot) -> list[Alert]:
    """Return what needs a look, the most pressing first."""
    return [
        *_no_consumer(snapshot),
        *_silent(snapshot),
        *_unknown_types(snapshot),
        *(_late(row) for row in _late_schedules(snapshot)),
    ]


def troubles_of(snapshot: Snapshot) -> list[str]:
    """Return in words without names what keeps jobs from running, for probes and doctors."""
    waits = any(each.oldest_at < snapshot.now - LATE for each in snapshot.waiting)
    troubles = []
    if (waits or _late_schedules(snapshot)) and not snapshot.alive:
        troubles.append("Jobs or schedules are due, and no consumer is alive.")
    unknown = _unknown_types(snapshot)
    if unknown:
        troubles.append(f"No consumer knows the type of some waiting jobs ({len(unknown)}).")
    return troubles


def _no_consumer(snapshot: Snapshot) -> list[Alert]:
    if snapshot.alive:
        return []
    waiting = " Jobs are due and wait." if snapshot.due else ""
    text = f"No consumer is alive.{waiting} Start one with `modhost worker`."
    return [Alert("Nothing executes jobs", text, "/admin/jobs/workers")]


def _silent(snapshot: Snapshot) -> list[Alert]:
    return [
        Alert(
            f"The worker {worker.name} is silent",
            f"It was last heard of at {worker.heartbeat_at:%H:%M:%S} UTC; its jobs are handed to "
            f"others by the next sweep.",
            "/admin/jobs/workers",
        )
        for worker in snapshot.workers
        if not worker.is_alive
    ]


def _unknown_types(snapshot: Snapshot) -> list[Alert]:
    known = {name for worker in snapshot.alive for name in worker.job_types}
    if not known:
        return []
    return [
        Alert(
            f"No consumer knows the type {each.job_type}",
            "Its jobs wait until a consumer runs that has the module with this type.",
            f"/admin/jobs/list?state=Pending&job_type={each.job_type}",
        )
        for each in snapshot.waiting
        if each.job_type not in known
    ]


def _late_schedules(snapshot: Snapshot) -> Sequence[Row]:
    return [
        row
        for row in snapshot.schedules
        if row["is_enabled"] and row["next_run_at"] and row["next_run_at"] < snapshot.now - LATE
    ]


def _late(row: Row) -> Alert:
    return Alert(
        f"The schedule {row['name']} is late",
        f"It was due at {row['next_run_at']:%Y-%m-%d %H:%M} UTC and has not fired: "
        f"schedules fire only while a consumer runs.",
        "/admin/jobs/recurring",
    )
