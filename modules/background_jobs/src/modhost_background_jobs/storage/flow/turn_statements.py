"""The places of fair jobs as SQL: behind the last of the key, and in no earlier round.

PostgreSQL places all rows `given` at once, each with the turn that `turns_of` counts; SQLite
places one after the other. Where the turn is NULL a job gets no place.
"""

from typing import Final

from modhost_background_jobs.storage.tables import IN_LANE, PLACE

# The round that is under way in each lane, read once: entries of claimed jobs are passed for it.
POSTGRES_HEADS: Final = f"""heads AS MATERIALIZED (
    SELECT lane, (
        SELECT {PLACE} FROM background_jobs.jobs
        WHERE lane = fair.lane AND {IN_LANE} AND {PLACE} < timestamptz '2000-01-01Z'
        ORDER BY {PLACE} LIMIT 1
    ) AS head
    FROM (SELECT DISTINCT lane FROM given WHERE turn IS NOT NULL) AS fair
)"""
POSTGRES_PLACE: Final = """CASE WHEN g.turn IS NOT NULL THEN greatest(
    timestamptz '1970-01-01Z',
    (SELECT head FROM heads WHERE heads.lane = g.lane),
    (SELECT max(place_at) + interval '1 second' FROM background_jobs.jobs
        WHERE lane = g.lane AND fair_key = g.fair_key)
) + g.turn * interval '1 second' END"""
"""The place of a row `g` of those given."""
PLACE_IN_POSTGRES: Final = f"""
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
        AS g(id, lane, fair_key, turn)
), {POSTGRES_HEADS}
UPDATE background_jobs.jobs j SET place_at = {POSTGRES_PLACE} FROM given g WHERE j.id = g.id
"""


def sqlite_place(lane: str, key: str, turn: str) -> str:
    """Return the place of a job as SQL, by the parameters for its lane, its key and its turn."""
    return f"""CASE WHEN {turn} IS NOT NULL THEN max('1970-01-01 00:00:00.000000', coalesce((
    SELECT {PLACE} FROM background_jobs_jobs
    WHERE lane = {lane} AND {IN_LANE} AND {PLACE} < '2000-01-01' ORDER BY {PLACE} LIMIT 1
), ''), coalesce((
    SELECT strftime('%Y-%m-%d %H:%M:%S.000000', max(place_at), '+1 second')
    FROM background_jobs_jobs WHERE lane = {lane} AND fair_key = {key}
), '')) END"""


PLACE_IN_SQLITE: Final = f"""
UPDATE background_jobs_jobs SET place_at = {sqlite_place("?2", "?3", "?4")} WHERE id = ?1
"""
