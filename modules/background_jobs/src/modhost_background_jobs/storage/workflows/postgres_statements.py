"""Ends of awaited jobs on PostgreSQL: locks first, then one statement for all that follows."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage.columns import CARRIED, listed
from modhost_background_jobs.storage.workflows.rules import Doomed, Judged, Tally
from modhost_background_jobs.storage.workflows.steps import Statement, Steps, as_id

_CARRIED: Final = listed(CARRIED)

LOCK_WORKFLOWS: Final = """
SELECT id FROM background_jobs.workflows WHERE id IN (
    SELECT workflow_id FROM background_jobs.jobs WHERE id = ANY($1::uuid[])
)
ORDER BY id FOR UPDATE
"""

LOCK_WORKFLOW: Final = "SELECT id FROM background_jobs.workflows WHERE id = $1 FOR UPDATE"

# By a statement of its own: whoever has added a job that waits for one of these had it locked.
LOCK_JOBS: Final = """
SELECT id FROM background_jobs.jobs WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""

_NEW_COUNTS: Final = """
UPDATE background_jobs.workflows w
SET unfinished = w.unfinished - t.number, failed = w.failed + t.failed,
    cancelled = w.cancelled + t.cancelled, stopped = w.stopped + t.stopped,
    outcome = CASE WHEN w.unfinished = t.number THEN CASE
        WHEN w.failed + t.failed > 0 THEN 'Failed'
        WHEN w.stopped + t.stopped > 0 THEN 'Cancelled'
        ELSE 'Completed' END END,
    completed_at = CASE WHEN w.unfinished = t.number THEN {now} END
FROM {tallies} t WHERE w.id = t.workflow_id
"""

# The row of a condition is locked whatever its verdict: a revival reads how many are unfinished.
_JUDGED: Final = """
gone AS (
    SELECT d.job_id, count(*)::int AS number, bool_or(e.is_bad) AS is_bad,
        (array_agg(e.id ORDER BY e.is_bad DESC, e.id))[1] AS before_id
    FROM ends e JOIN background_jobs.job_dependencies d ON d.after_id = e.id
    GROUP BY d.job_id
),
locked AS (
    SELECT c.job_id, c.run_when, c.verdict, c.unfinished - gone.number AS unfinished,
        gone.is_bad, gone.before_id
    FROM background_jobs.job_conditions c JOIN gone ON gone.job_id = c.job_id
    ORDER BY c.job_id FOR UPDATE OF c
),
judged AS (
    SELECT *, CASE
        WHEN verdict IS NOT NULL THEN verdict
        WHEN run_when = 'succeeded' AND is_bad THEN 'cancel'
        WHEN run_when = 'failed' AND is_bad THEN 'run'
        WHEN unfinished = 0 THEN CASE run_when WHEN 'failed' THEN 'cancel' ELSE 'run' END
        END AS next_verdict
    FROM locked
),
noted AS (
    UPDATE background_jobs.job_conditions c
    SET unfinished = judged.unfinished, verdict = judged.next_verdict
    FROM judged WHERE c.job_id = judged.job_id AND judged.verdict IS NULL
),
released AS (
    UPDATE background_jobs.jobs j
    SET on_hold = false, execute_at = greatest(j.execute_at, {now})
    FROM judged
    WHERE j.id = judged.job_id AND judged.verdict IS NULL AND judged.next_verdict = 'run'
)
"""

_DOOMED: Final = "verdict IS NULL AND next_verdict = 'cancel'"

END: Final = f"""
WITH ended AS (
    DELETE FROM background_jobs.jobs j
    USING unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[])
        AS g(id, fence, state, error, result)
    WHERE j.id = g.id AND j.fence = g.fence AND j.state = 'Running'
    RETURNING j.*, g.state AS final_state, g.error AS final_error, g.result AS final_result
),
finished AS (
    INSERT INTO background_jobs.finished_jobs
        ({_CARRIED}, state, error, completed_at, result)
    SELECT {_CARRIED}, final_state, final_error, greatest($6, created_at), final_result FROM ended
),
tallies AS (
    SELECT workflow_id, count(*) AS number,
        count(*) FILTER (WHERE final_state = 'Failed') AS failed,
        count(*) FILTER (WHERE final_state = 'Cancelled') AS cancelled,
        count(*) FILTER (WHERE final_state = 'Cancelled') AS stopped
    FROM ended WHERE workflow_id IS NOT NULL GROUP BY workflow_id
),
counted AS ({_NEW_COUNTS.format(now="$6::timestamptz", tallies="tallies")}),
ends AS (SELECT id, final_state <> 'Completed' AS is_bad FROM ended),
{_JUDGED.format(now="$6::timestamptz")}
SELECT id, NULL::uuid, NULL FROM ended
UNION ALL SELECT job_id, before_id, run_when FROM judged WHERE {_DOOMED}
"""

JUDGE: Final = f"""
WITH ends AS (SELECT * FROM unnest($1::uuid[], $2::boolean[]) AS g(id, is_bad)),
{_JUDGED.format(now="$3::timestamptz")}
SELECT job_id, before_id, run_when FROM judged WHERE {_DOOMED}
"""

SPREAD: Final = """
WITH RECURSIVE reached AS (
    SELECT d.job_id, d.after_id
    FROM unnest($1::uuid[]) AS g(id)
    JOIN background_jobs.job_dependencies d ON d.after_id = g.id
    JOIN background_jobs.job_conditions c ON c.job_id = d.job_id
        AND c.run_when = 'succeeded' AND c.verdict IS NULL
    UNION
    SELECT d.job_id, d.after_id
    FROM reached
    JOIN background_jobs.job_dependencies d ON d.after_id = reached.job_id
    JOIN background_jobs.job_conditions c ON c.job_id = d.job_id
        AND c.run_when = 'succeeded' AND c.verdict IS NULL
),
first AS (SELECT DISTINCT ON (job_id) job_id, after_id FROM reached ORDER BY job_id, after_id)
UPDATE background_jobs.job_conditions c SET verdict = 'cancel'
FROM first WHERE c.job_id = first.job_id AND c.verdict IS NULL
RETURNING c.job_id, first.after_id, c.run_when
"""

CANCEL: Final = f"""
WITH gone AS (
    DELETE FROM background_jobs.jobs j
    USING unnest($1::uuid[], $2::text[]) AS g(id, reason)
    WHERE j.id = g.id AND j.state = 'Pending'
    RETURNING j.*, g.reason
),
finished AS (
    INSERT INTO background_jobs.finished_jobs ({_CARRIED}, state, error, completed_at)
    SELECT {_CARRIED}, 'Cancelled', reason, greatest($3::timestamptz, created_at) FROM gone
),
tallies AS (
    SELECT workflow_id, count(*) AS number, 0 AS failed, count(*) AS cancelled, 0 AS stopped
    FROM gone WHERE workflow_id IS NOT NULL GROUP BY workflow_id
),
counted AS ({_NEW_COUNTS.format(now="$3::timestamptz", tallies="tallies")})
SELECT id FROM gone
"""

COUNT: Final = _NEW_COUNTS.format(
    now="$6::timestamptz",
    tallies="""unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::int[])
    AS""",
).replace(" t WHERE", " t(workflow_id, number, failed, cancelled, stopped) WHERE")

NOTIFY: Final = """
SELECT pg_notify('background_jobs', 'end'), pg_notify('background_jobs', 'due')
"""


class PostgresWorkflows:
    """Implements `WorkflowStatements`, which describes each method."""

    def lock(self, job_ids: Collection[UUID]) -> Steps[None]:
        """Lock by two statements, and so before the next one reads."""
        yield Statement(LOCK_WORKFLOWS, [list(job_ids)])
        yield Statement(LOCK_JOBS, [list(job_ids)])

    def lock_workflow(self, workflow_id: UUID) -> Steps[bool]:
        """Lock one row."""
        rows = yield Statement(LOCK_WORKFLOW, [workflow_id])
        return bool(rows)

    def end(self, ended: Sequence[Ended], now: datetime) -> Steps[Judged]:
        """End, judge and count by one statement."""
        rows = yield Statement(
            END,
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
        rows = yield Statement(JUDGE, [ids, are_bad, now])
        return [_doomed(row) for row in rows]

    def spread(self, doomed: Collection[UUID]) -> Steps[list[Doomed]]:
        """Follow the dependencies by one statement."""
        rows = yield Statement(SPREAD, [list(doomed)])
        return [_doomed(row) for row in rows]

    def cancel(self, doomed: Sequence[tuple[UUID, str]], now: datetime) -> Steps[list[UUID]]:
        """Cancel and count by one statement."""
        ids, reasons = zip(*doomed, strict=True)
        rows = yield Statement(CANCEL, [list(ids), list(reasons), now])
        return [as_id(row[0]) for row in rows]

    def count(self, changes: dict[UUID, Tally], now: datetime) -> Steps[None]:
        """Change all rows by one statement."""
        columns = [list(column) for column in zip(*changes.values(), strict=True)]
        yield Statement(COUNT, [list(changes), *columns, now])

    def notify(self) -> Steps[None]:
        """Send two notifications."""
        yield Statement(NOTIFY, [])


def _doomed(row: Sequence[UUID]) -> Doomed:
    return Doomed(as_id(row[0]), as_id(row[1]), str(row[2]))
