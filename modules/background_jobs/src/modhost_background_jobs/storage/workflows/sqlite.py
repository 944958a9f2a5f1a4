"""Ends of awaited jobs on SQLite: the steps of one write transaction."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from modhost.database import to_sqlite
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.model.workflow import Verdict
from modhost_background_jobs.storage.workflows import sqlite_statements as statements
from modhost_background_jobs.storage.workflows.rules import Doomed, Judged, Tally
from modhost_background_jobs.storage.workflows.steps import Statement, Steps, as_id


class SqliteWorkflows:
    """Implements `WorkflowStatements`, which describes each method."""

    def lock(self, job_ids: Collection[UUID], *, with_dependents: bool) -> Steps[None]:
        """Do nothing: the transaction excludes all others."""
        yield from ()

    def lock_workflow(self, workflow_id: UUID) -> Steps[bool]:
        """Read whether it is there."""
        rows = yield Statement(statements.IS_WORKFLOW, [str(workflow_id)])
        return bool(rows)

    def end(self, ended: Sequence[Ended], now: datetime) -> Steps[Judged]:
        """Move the jobs, then judge what waits for them."""
        rows = [
            [str(each.lease.job_id), each.lease.fence, each.state.value, each.error, each.result]
            for each in ended
        ]
        moved = yield Statement(statements.END, [json.dumps(rows), to_sqlite(now)])
        yield Statement(statements.REMOVE, [json.dumps([row[0] for row in moved])])
        tallies: dict[UUID, Counter[str]] = {}
        for _, state, workflow_id in moved:
            if workflow_id is not None:
                tallies.setdefault(as_id(workflow_id), Counter())[state] += 1
        yield from self.count({id_: _tally(states) for id_, states in tallies.items()}, now)
        over = [(as_id(id_), JobState(state)) for id_, state, _ in moved]
        doomed = yield from self.judge(over, now)
        return Judged([job_id for job_id, _ in over], doomed)

    def judge(self, ended: Sequence[tuple[UUID, JobState]], now: datetime) -> Steps[list[Doomed]]:
        """Change the conditions, then the jobs."""
        ends = json.dumps([[str(id_), state is not JobState.COMPLETED] for id_, state in ended])
        judged = yield Statement(statements.JUDGE, [ends])
        may_run = [job_id for job_id, verdict, _ in judged if verdict == Verdict.RUN]
        if may_run:
            yield Statement(statements.RELEASE, [json.dumps(may_run), to_sqlite(now)])
        run_when = {job_id: when for job_id, verdict, when in judged if verdict == Verdict.CANCEL}
        if not run_when:
            return []
        rows = yield Statement(statements.DECIDING, [json.dumps(list(run_when)), ends])
        return [Doomed(as_id(row[0]), as_id(row[1]), run_when[row[0]]) for row in rows]

    def spread(self, doomed: Collection[UUID]) -> Steps[list[Doomed]]:
        """Follow the dependencies, then note what they lead to."""
        rows = yield Statement(statements.SPREAD, [_listed(doomed)])
        reached = json.dumps([row[0] for row in rows])
        yield Statement(statements.NOTE_VERDICT, [reached, Verdict.CANCEL])
        return [Doomed(as_id(row[0]), as_id(row[1]), "succeeded") for row in rows]

    def cancel(self, doomed: Sequence[tuple[UUID, str | None]], now: datetime) -> Steps[list[UUID]]:
        """Move the jobs, then count them."""
        rows = [[str(job_id), reason] for job_id, reason in doomed]
        moved = yield Statement(statements.CANCEL, [json.dumps(rows), to_sqlite(now)])
        yield Statement(statements.REMOVE, [json.dumps([row[0] for row in moved])])
        numbers = Counter(as_id(row[2]) for row in moved if row[2] is not None)
        tallies = {id_: Tally(over=count, cancelled=count) for id_, count in numbers.items()}
        yield from self.count(tallies, now)
        return [as_id(row[0]) for row in moved]

    def revive(self, again: Collection[UUID], now: datetime) -> Steps[list[UUID]]:
        """Count what is unfinished anew, then move the jobs back."""
        waiting = yield Statement(statements.WAITING, [_listed(again)])
        yield Statement(statements.NOTE_WAITING, [json.dumps([list(row[:2]) for row in waiting])])
        cancelled = [row[0] for row in waiting if row[2]]
        revived = yield Statement(statements.REVIVE, [json.dumps(cancelled), to_sqlite(now)])
        yield Statement(statements.REMOVE_FINISHED, [json.dumps([row[0] for row in revived])])
        numbers = Counter(as_id(row[1]) for row in revived if row[1] is not None)
        tallies = {id_: Tally(over=-count, cancelled=-count) for id_, count in numbers.items()}
        yield from self.count(tallies, now)
        return [as_id(row[0]) for row in revived]

    def stop(self, job_ids: Collection[UUID]) -> Steps[None]:
        """Change the conditions."""
        yield Statement(statements.NOTE_VERDICT, [_listed(job_ids), Verdict.STOP])

    def count(self, changes: dict[UUID, Tally], now: datetime) -> Steps[None]:
        """Change all rows by one statement."""
        if changes:
            rows = [[str(id_), *tally] for id_, tally in changes.items()]
            yield Statement(statements.COUNT, [json.dumps(rows), to_sqlite(now)])

    def notify(self) -> Steps[None]:
        """Do nothing: other processes see that the file has changed."""
        yield from ()


def _tally(states: Counter[str]) -> Tally:
    cancelled = states[JobState.CANCELLED]
    return Tally(states.total(), states[JobState.FAILED], cancelled, cancelled)


def _listed(ids: Iterable[UUID]) -> str:
    return json.dumps([str(id_) for id_ in ids])
