"""Claiming on PostgreSQL: one statement for few types of jobs, and one for many."""

from typing import Final

from modhost_background_jobs.storage.columns import CLAIMED, STARTED_KEY, listed

MANY_TYPES: Final = 8
"""Of fewer types as much is read of each as is wanted in all."""

# The head of the queue over all types decides how many of each type are taken, so that types share
# one order, yet each is found through its own stretch of the index: jobs of types that this node
# does not know are never read. Rows that another worker is just claiming are skipped. The worker's
# own row is locked against deletion: a worker that was found dead claims nothing, nor does one
# whose row somebody else has locked. What was picked
# becomes an array: for a join with rows of unknown number the planner reads the whole table. The
# scan begins at a place in the order, since what was claimed before it stays in the index, dead,
# until no transaction can see it any more.
_AFTER: Final = "(j.execute_at, j.id) > ($5, $6)"
_OF_TYPE: Final = """
        WHERE j.job_type = {}.job_type AND j.state = 'Pending' AND NOT j.on_hold
            AND j.lane IS NULL AND"""
_DUE: Final = f"{_OF_TYPE} j.execute_at <= $2 AND {_AFTER}"
_WAITING: Final = f"{_OF_TYPE} {_AFTER}"

_HEAD: Final = f"""head AS (
    SELECT t.job_type
    FROM unnest($1::text[]) AS t(job_type)
    CROSS JOIN LATERAL (
        SELECT j.execute_at, j.id FROM background_jobs.jobs j {_DUE.format("t")}
        ORDER BY j.execute_at, j.id LIMIT $3
    ) due
    ORDER BY due.execute_at, due.id LIMIT $3
)"""

# All that is wanted may be of one type, so that of each as much is read. Of many types a little of
# each is read first: with as many jobs as are wanted among these, none behind them is read.
# The bound is the only one from above: beside another, a scan of the index would not end at it.
_HEAD_AMONG_MANY: Final = f"""sample AS (
    SELECT due.execute_at, due.id
    FROM unnest($1::text[]) AS t(job_type)
    CROSS JOIN LATERAL (
        SELECT j.execute_at, j.id FROM background_jobs.jobs j {_DUE.format("t")}
        ORDER BY j.execute_at, j.id LIMIT 1 + 2 * $3 / cardinality($1::text[])
    ) due
),
last AS (SELECT execute_at, id FROM sample ORDER BY execute_at, id OFFSET $3 - 1 LIMIT 1),
head AS (
    SELECT t.job_type
    FROM unnest($1::text[]) AS t(job_type)
    CROSS JOIN LATERAL (
        SELECT j.execute_at, j.id FROM background_jobs.jobs j {_WAITING.format("t")}
            AND (j.execute_at, j.id) <= (
                coalesce((SELECT execute_at FROM last), $2),
                coalesce((SELECT id FROM last), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
            )
        ORDER BY j.execute_at, j.id LIMIT $3
    ) due
    ORDER BY due.execute_at, due.id LIMIT $3
)"""

_CLAIM_OF: Final = f"""
WITH {{}},
share AS (SELECT job_type, count(*) AS jobs FROM head GROUP BY job_type),
alive AS (SELECT name FROM background_jobs.workers WHERE name = $4
    FOR KEY SHARE SKIP LOCKED),
picked AS (
    SELECT due.id
    FROM alive CROSS JOIN share
    CROSS JOIN LATERAL (
        SELECT j.id FROM background_jobs.jobs j {_DUE.format("share")}
        ORDER BY j.execute_at, j.id LIMIT share.jobs FOR UPDATE SKIP LOCKED
    ) due
)
UPDATE background_jobs.jobs j
SET state = 'Running', worker = $4, started_at = $2, fence = j.fence + 1,
    attempt = j.attempt + 1, attempts_left = j.attempts_left - 1, error = NULL,
    progress_percentage = 0, progress_message = NULL, progress_at = NULL,
    unique_key = {STARTED_KEY}
WHERE j.id = ANY (ARRAY(SELECT id FROM picked))
RETURNING {listed(CLAIMED, "j")}
"""

CLAIM: Final = _CLAIM_OF.format(_HEAD)
CLAIM_AMONG_MANY: Final = _CLAIM_OF.format(_HEAD_AMONG_MANY)


def of(types: int) -> str:
    """Return the statement that claims among so many types."""
    return CLAIM if types < MANY_TYPES else CLAIM_AMONG_MANY
