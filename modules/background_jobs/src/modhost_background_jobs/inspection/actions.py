"""What people did to jobs, by the audit: who retried, cancelled or moved them, and when."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from modhost.audit import AuditEntry, AuditReader, Outcome
from modhost_background_jobs.contracts import JobAction, JobId
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.model.job_types import JobTypes
from modhost_background_jobs.queries.listing import JobListing

MAX_OF_EACH: Final = 50
_ACTIONS: Final = {
    "jobs.cancel": "cancel",
    "jobs.retry": "retry",
    "jobs.run_now": "run_now",
    "jobs.reschedule": "reschedule",
    "jobs.run_again": "run_again",
    "workflows.cancel": "cancel_workflow",
    "workflows.retry": "retry_workflow",
}


class JobActions:
    """Reads what people did to jobs, in one statement, and a second for changes of many."""

    def __init__(self, audit: AuditReader, listing: JobListing, types: JobTypes) -> None:
        self._audit = audit
        self._listing = listing
        self._bulk_types = types.of_bulk_runners

    async def of(self, rows: Collection[JobRow]) -> Mapping[UUID, Sequence[JobAction]]:
        """Return what was done to each job, and to its workflow, the oldest first."""
        jobs: defaultdict[str, list[UUID]] = defaultdict(list)
        for row in rows:
            jobs[f"job:{row.id}"].append(row.id)
            if row.workflow_id is not None:
                jobs[f"workflow:{row.workflow_id}"].append(row.id)
        found = await self._audit.about(jobs, MAX_OF_EACH * len(jobs))
        done = [each for each in found if each.outcome is Outcome.DONE and each.action in _ACTIONS]
        requested = await self._requested(done)
        actions: dict[UUID, list[JobAction]] = {row.id: [] for row in rows}
        for entry in reversed(done):
            bulk = self._bulk_job(entry)
            action = JobAction(
                at=entry.at,
                action=_ACTIONS[entry.action],
                by=_person(entry) if bulk is None else requested.get(bulk),
                detail=entry.detail,
                bulk_job_id=bulk,
            )
            for id_ in jobs[entry.subject]:
                actions[id_].append(action)
        return actions

    async def _requested(self, entries: Iterable[AuditEntry]) -> Mapping[UUID, str | None]:
        """Return who requested the bulk changes by which jobs were changed."""
        ids = {bulk for each in entries if (bulk := self._bulk_job(each)) is not None}
        if not ids:
            return {}
        by = {row.id: row.enqueued_by for row in await self._listing.by_ids(ids)}
        if missing := {f"job:{id_}" for id_ in ids if id_ not in by}:
            # Deleted with its row, but the request is in the audit as well.
            for entry in await self._audit.about(missing, MAX_OF_EACH * len(missing)):
                if entry.action.endswith("_many"):
                    by[UUID(entry.subject.partition(":")[2])] = _person(entry)
        return by

    def _bulk_job(self, entry: AuditEntry) -> JobId | None:
        """Return the job that changed many for somebody; one that changes others is none."""
        is_bulk = entry.actor_kind == "job" and entry.actor_name in self._bulk_types
        return JobId(UUID(entry.actor_id.partition(":")[2])) if is_bulk else None


def _person(entry: AuditEntry) -> str | None:
    """Return who it was as rows of jobs say it; None for code of the host."""
    if entry.actor_kind == "system":
        return None
    unique = f" ({entry.actor_id.partition(':')[2]})" if entry.actor_kind == "token" else ""
    return f"{entry.actor_kind}:{entry.actor_name}{unique}"
