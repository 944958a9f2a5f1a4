"""Ends of awaited jobs on PostgreSQL: locks first, then one statement for all that follows."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage.workflows import postgres_statements as statements
from modhost_background_jobs.storage.workflows.rules import Doomed, Judged, Tally
from modhost_background_jobs.storage.workflows.steps import Statement, Steps, as_id


class PostgresWorkflows:
    """Implements `WorkflowStatements`, which describes each method."""

    def lock(self, job_ids: Collection[UUID], *, with_dependents: bool) -> Steps[None]:
        """Lock by two statements, and so before the next one reads."""
        locking = statements.LOCK_ALL_WORKFLOWS if with_dependents else statements.LOCK_WORKFLOWS
        yield Statement(locking, [list(job_ids)])
        yield Statement(statements.LOCK_JOBS, [list(job_ids)])

    def lock_workflow(self, workflow_id: UUID) -> Steps[bool]:
        """Lock one row."""
        rows = yield Statement(statements.LOCK_WORKFLOW, [workflow_id])
        return bool(rows)

    def end(self, ended: Sequence[Ended], now: datetime) -> Steps[Judged]:
        """End, judge and count by one statement."""
        rows = yield Statement(
            statements.END,
            [
                [each.lease.job_id for each in ended],
                [each.lease.fence for each in ended],
                [each.state.value for each in ended],
                [each.error for each in ended],
                [each.result for each in ended],
                now,
            ],
        )
        return Judged(
            [as_id(row[0]) for row in rows if row[1] is None],
            [_doomed(row) for row in rows if row[1] is not None],
        )

    def judge(self, ended: Sequence[tuple[UUID, JobState]], now: datetime) -> Steps[list[Doomed]]:
        """Judge by one statement."""
        ids = [job_id for job_id, _ in ended]
        are_bad = [state is not JobState.COMPLETED for _, state in ended]
        rows = yield Statement(statements.JUDGE, [ids, are_bad, now])
        return [_doomed(row) for row in rows]

    def spread(self, doomed: Collection[UUID]) -> Steps[list[Doomed]]:
        """Follow the dependencies by one statement."""
        rows = yield Statement(statements.SPREAD, [list(doomed)])
        return [_doomed(row) for row in rows]

    def cancel(self, doomed: Sequence[tuple[UUID, str | None]], now: datetime) -> Steps[list[UUID]]:
        """Cancel and count by one statement."""
        ids, reasons = zip(*doomed, strict=True)
        rows = yield Statement(statements.CANCEL, [list(ids), list(reasons), now])
        return [as_id(row[0]) for row in rows]

    def revive(self, again: Collection[UUID], now: datetime) -> Steps[list[UUID]]:
        """Lock what waits, then revive by one statement."""
        yield Statement(statements.LOCK_WAITING, [list(again)])
        rows = yield Statement(statements.REVIVE, [list(again), now])
        return [as_id(row[0]) for row in rows]

    def stop(self, job_ids: Collection[UUID]) -> Steps[None]:
        """Change the conditions."""
        yield Statement(statements.STOP, [list(job_ids)])

    def count(self, changes: dict[UUID, Tally], now: datetime) -> Steps[None]:
        """Change all rows by one statement."""
        columns = [list(column) for column in zip(*changes.values(), strict=True)]
        yield Statement(statements.COUNT, [list(changes), *columns, now])

    def notify(self) -> Steps[None]:
        """Send two notifications."""
        yield Statement(statements.NOTIFY, [])


def _doomed(row: Sequence[UUID]) -> Doomed:
    return Doomed(as_id(row[0]), as_id(row[1]), str(row[2]))
