"""The rules that `modhost doctor` holds the queue to. The host's `docs/rules.md` explains them."""

from collections.abc import Collection
from typing import Final

from modhost.checks import Finding, Rule
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.monitoring.snapshot import Snapshots
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queue.schedules import RecurringSchedules

UNKNOWN_RECURRING_TYPE: Final = Rule("MH602", "Recurring job has a type that nobody registers")
UNKNOWN_WAITING_TYPE: Final = Rule(
    "MH603", "Jobs wait that no consumer knows the type of", "warning"
)


class QueueDiagnosis:
    """Compares the types of what is to run with those that somebody could run.

    Those are the types that are registered here, and those of the consumers that are alive, which
    may have other modules.
    """

    def __init__(
        self,
        types: JobTypes,
        schedules: RecurringSchedules,
        load: QueueLoad,
        snapshots: Snapshots,
    ) -> None:
        self._types = types
        self._schedules = schedules
        self._load = load
        self._snapshots = snapshots

    async def findings(self) -> list[Finding]:
        """Return a finding for each enabled schedule, and for each type of waiting jobs."""
        snapshot = await self._snapshots.take()
        known = {*self._types.names}
        known.update(name for worker in snapshot.alive for name in worker.job_types)
        return [*await self._recurring(known), *await self._waiting(known)]

    async def _recurring(self, known: Collection[str]) -> list[Finding]:
        return [
            Finding(
                UNKNOWN_RECURRING_TYPE,
                f"the recurring job {row['name']!r} is of type {row['job_type']!r}, which neither "
                "this host nor any living consumer has.",
                f"{_bring(row['module_name'])}, or delete the recurring job by `modhost jobs "
                f"recurring delete {row['id']}`.",
            )
            for row in await self._schedules.all()
            if row["is_enabled"] and row["job_type"] not in known
        ]

    async def _waiting(self, known: Collection[str]) -> list[Finding]:
        return [
            Finding(
                UNKNOWN_WAITING_TYPE,
                f"jobs of type {each.job_type!r} are pending, the first due at "
                f"{each.oldest_at:%Y-%m-%d %H:%M} UTC, and neither this host nor any living "
                "consumer has that type.",
                f"{_bring(each.job_type.partition('.')[0])}, or cancel the jobs.",
            )
            for each in await self._load.waiting_types()
            if each.job_type not in known
        ]


def _bring(module: str) -> str:
    return (
        f"Install and enable the module that has it ({module!r}), name the type in the `aliases` "
        "of the job class that was renamed"
    )
