"""What `modhost doctor` finds wrong with the queue: work that no worker could do."""

from typing import Final

from modhost.checks import Finding, Rule
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.model import JobTypes

UNKNOWN_RECURRING_TYPE: Final = Rule("MH602", "Recurring job of an unknown type")
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
                f"jobs of type {each.job_type!r} are pending, the first due at "
                f"{each.oldest_at:%Y-%m-%d %H:%M} UTC, and neither this host nor any living worker "
                "has that type.",
                f"{_bring(each.job_type.partition('.')[0])}, or cancel the jobs.",
            )
            for each in snapshot.pending
            if each.job_type not in known
        ]
        return [*schedules, *pending]


def _bring(module: str) -> str:
    return (
        f"Install and enable the module that has it ({module!r}), name the type in the `aliases` "
        "of the job class that was renamed"
    )
