"""Ends of awaited jobs on SQLite, within a write transaction, which excludes all others.

Batches travel as JSON arrays that `json_each` turns into rows.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from modhost.database import to_sqlite
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.model.workflow import Verdict
from modhost_background_jobs.storage.columns import CARRIED, listed
from modhost_background_jobs.storage.workflows.rules import Doomed, Judged, Tally
from modhost_background_jobs.storage.workflows.steps import Statement, Steps, as_id

IS_WORKFLOW: Final = "SELECT 1 FROM background_jobs_workflows WHERE id = ?1"

# Rows are [id, fence, state, error, result].
END: Final = f"""
INSERT INTO background_jobs_finished_jobs
    ({listed(CARRIED)}, state, error, completed_at, result)
SELECT {listed(CARRIED, "j")}, g.value ->> 2, g.value ->> 3, max(?2, j.created_at), g.value ->> 4
FROM json_each(?1) AS g
CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
WHERE j.fence = g.value ->> 1 AND j.state = 'Running'
RETURNING id, state, workflow_id
"""

# Rows are [id, reason].
CANCEL: Final = f"""
INSERT INTO background_jobs_finished_jobs ({listed(CARRIED)}, state, error, completed_at)
SELECT {listed(CARRIED, "j")}, 'Cancelled', g.value ->> 1, max(?2, j.created_at)
FROM json_each(?1) AS g
CROSS JOIN background_jobs_jobs j ON j.id = g.value ->> 0
WHERE j.state = 'Pending'
RETURNING id, state, workflow_id
"""

REMOVE: Final = "DELETE FROM background_jobs_jobs WHERE id IN (SELECT value FROM json_each(?1))"

# Rows are [id, whether it is bad].
JUDGE: Final = """
UPDATE background_jobs_job_conditions AS c
SET unfinished = c.unfinished - gone.number,
    verdict = CASE
        WHEN c.run_when = 'succeeded' AND gone.is_bad THEN 'cancel'
        WHEN c.run_when = 'failed' AND gone.is_bad THEN 'run'
        WHEN c.unfinished = gone.number THEN CASE c.run_when WHEN 'failed' THEN 'cancel'
            ELSE 'run' END
        END
FROM (
    SELECT d.job_id, count(*) AS number, max(g.value ->> 1) AS is_bad
    FROM json_each(?1) AS g
    CROSS JOIN background_jobs_job_dependencies d ON d.after_id = g.value ->> 0
    GROUP BY d.job_id
) AS gone
WHERE c.job_id = gone.job_id AND c.verdict IS NULL
RETURNING job_id, verdict, run_when
"""

RELEASE: Final = """
UPDATE background_jobs_jobs SET on_hold = false, execute_at = max(execute_at, ?2)
WHERE id IN (SELECT value FROM json_each(?1))
"""

# Of the jobs before these, one that has decided: a bad one if there is any.
DECIDING: Final = """
SELECT d.job_id, d.after_id, max(e.value ->> 1)
FROM json_each(?1) AS g
CROSS JOIN background_jobs_job_dependencies d ON d.job_id = g.value
JOIN json_each(?2) AS e ON e.value ->> 0 = d.after_id
GROUP BY d.job_id
"""

SPREAD: Final = """
WITH RECURSIVE reached (job_id, after_id) AS (
    SELECT d.job_id, d.after_id
    FROM json_each(?1) AS g
    CROSS JOIN background_jobs_job_dependencies d ON d.after_id = g.value
    CROSS JOIN background_jobs_job_conditions c ON c.job_id = d.job_id
    WHERE c.run_when = 'succeeded' AND c.verdict IS NULL
    UNION
    SELECT d.job_id, d.after_id
    FROM reached
    CROSS JOIN background_jobs_job_dependencies d ON d.after_id = reached.job_id
    CROSS JOIN background_jobs_job_conditions c ON c.job_id = d.job_id
    WHERE c.run_when = 'succeeded' AND c.verdict IS NULL
)
SELECT job_id, min(after_id) FROM reached GROUP BY job_id
"""

NOTE_VERDICT: Final = """
UPDATE background_jobs_job_conditions SET verdict = ?2
WHERE job_id IN (SELECT value FROM json_each(?1)) AND verdict IS NULL
"""

# Rows are [workflow, over, failed, cancelled, stopped].
COUNT: Final = """
UPDATE background_jobs_workflows AS w
SET unfinished = w.unfinished - (g.value ->> 1), failed = w.failed + (g.value ->> 2),
    cancelled = w.cancelled + (g.value ->> 3), stopped = w.stopped + (g.value ->> 4),
    outcome = CASE WHEN w.unfinished = g.value ->> 1 THEN CASE
        WHEN w.failed + (g.value ->> 2) > 0 THEN 'Failed'
        WHEN w.stopped + (g.value ->> 4) > 0 THEN 'Cancelled'
        ELSE 'Completed' END END,
    completed_at = CASE WHEN w.unfinished = g.value ->> 1 THEN ?2 END
FROM json_each(?1) AS g WHERE w.id = g.value ->> 0
"""


class SqliteWorkflows:
    """Implements `WorkflowStatements`, which describes each method."""

    def lock(self, job_ids: Collection[UUID]) -> Steps[None]:
        """Do nothing: the transaction excludes all others."""
        yield from ()

    def lock_workflow(self, workflow_id: UUID) -> Steps[bool]:
        """Read whether it is there."""
        rows = yield Statement(IS_WORKFLOW, [str(workflow_id)])
        return bool(rows)

    def end(self, ended: Sequence[Ended], now: datetime) -> Steps[Judged]:
        """Move the jobs, then judge what waits for them."""
        rows = [
            [str(each.lease.job_id), each.lease.fence, each.state.value, each.error, each.result]
            for each in ended
        ]
        moved = yield Statement(END, [json.dumps(rows), to_sqlite(now)])
        yield Statement(REMOVE, [json.dumps([row[0] for row in moved])])
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
        judged = yield Statement(JUDGE, [ends])
        may_run = [job_id for job_id, verdict, _ in judged if verdict == Verdict.RUN]
        if may_run:
            yield Statement(RELEASE, [json.dumps(may_run), to_sqlite(now)])
        run_when = {job_id: when for job_id, verdict, when in judged if verdict == Verdict.CANCEL}
        if not run_when:
            return []
        rows = yield Statement(DECIDING, [json.dumps(list(run_when)), ends])
        return [Doomed(as_id(row[0]), as_id(row[1]), run_when[row[0]]) for row in rows]

    def spread(self, doomed: Collection[UUID]) -> Steps[list[Doomed]]:
        """Follow the dependencies, then note what they lead to."""
        rows = yield Statement(SPREAD, [_listed(doomed)])
        yield Statement(NOTE_VERDICT, [json.dumps([row[0] for row in rows]), Verdict.CANCEL])
        return [Doomed(as_id(row[0]), as_id(row[1]), "succeeded") for row in rows]

    def cancel(self, doomed: Sequence[tuple[UUID, str]], now: datetime) -> Steps[list[UUID]]:
        """Move the jobs, then count them."""
        rows = [[str(job_id), reason] for job_id, reason in doomed]
        moved = yield Statement(CANCEL, [json.dumps(rows), to_sqlite(now)])
        yield Statement(REMOVE, [json.dumps([row[0] for row in moved])])
        numbers = Counter(as_id(row[2]) for row in moved if row[2] is not None)
        tallies = {id_: Tally(over=count, cancelled=count) for id_, count in numbers.items()}
        yield from self.count(tallies, now)
        return [as_id(row[0]) for row in moved]

    def count(self, changes: dict[UUID, Tally], now: datetime) -> Steps[None]:
        """Change all rows by one statement."""
        if changes:
            rows = [[str(id_), *tally] for id_, tally in changes.items()]
            yield Statement(COUNT, [json.dumps(rows), to_sqlite(now)])

    def notify(self) -> Steps[None]:
        """Do nothing: other processes see that the file has changed."""
        yield from ()


def _tally(states: Counter[str]) -> Tally:
    cancelled = states[JobState.CANCELLED]
    return Tally(states.total(), states[JobState.FAILED], cancelled, cancelled)


def _listed(ids: Iterable[UUID]) -> str:
    return json.dumps([str(id_) for id_ in ids])
