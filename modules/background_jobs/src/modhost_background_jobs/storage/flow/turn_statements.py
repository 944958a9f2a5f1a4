"""The places of fair jobs as SQL: a round is a millisecond, whose first half is its front.

A key that has had no turn in the round under way goes to its front, every other one to the round
after its last turn. That is read of the jobs of the key, live or finished, so that nobody waits for
the transaction of another. A round is under way once a job of it, or of the one before, has
started: those of a lane that was empty start as they come. PostgreSQL places all rows `given` at
once, each with the turn that `turns_of` counts; SQLite places one after the other. Where the turn
is NULL a job gets no place.
"""

from typing import Final

from modhost_background_jobs.storage.tables import HAD_TURN, IN_LANE, PLACE

# The round of each lane, read once: entries of claimed jobs are passed for it. Where no job waits
# it is after all turns, also those that are known of live jobs alone since retention. What runs is
# found by its worker: of the index by lanes jobs that wait would be most.
POSTGRES_ROUNDS: Final = f"""rounds AS MATERIALIZED (
    SELECT lane, front, coalesce(last >= front - interval '1 millisecond', false) OR EXISTS (
        SELECT 1 FROM background_jobs.workers w CROSS JOIN LATERAL (
            SELECT 1 FROM background_jobs.jobs j
            WHERE j.worker = w.name AND j.state = 'Running' AND j.lane || '' = fronts.lane
                AND j.turn_at >= front - interval '1 millisecond' LIMIT 1
        ) started
    ) AS is_under_way
    FROM (
        SELECT lane, date_trunc('milliseconds', last) AS last, date_trunc('milliseconds', coalesce(
            head, greatest(
                last + interval '2 milliseconds', date_trunc('day', now()) - interval '100 years'
            )
        )) AS front
        FROM (
            SELECT lane, (
                SELECT {PLACE} FROM background_jobs.jobs
                WHERE lane = fair.lane AND {IN_LANE} AND {PLACE} < timestamptz '2000-01-01Z'
                ORDER BY {PLACE} LIMIT 1
            ) AS head, (
                SELECT max(turn_at) FROM background_jobs.finished_jobs
                WHERE lane = fair.lane AND {HAD_TURN}
            ) AS last
            FROM (SELECT DISTINCT lane FROM given WHERE turn IS NOT NULL) AS fair
            OFFSET 0
        ) AS ends
    ) AS fronts
)"""
POSTGRES_PLACE: Final = f"""CASE WHEN g.turn IS NOT NULL THEN (
    SELECT CASE
        WHEN own.last >= front THEN
            date_trunc('milliseconds', own.last) + (g.turn + 1.5) * interval '1 millisecond'
        WHEN is_under_way AND g.turn = 0 THEN front
        ELSE front + (g.turn + 0.5) * interval '1 millisecond' END
    FROM rounds CROSS JOIN (SELECT greatest((
        SELECT max(turn_at) FROM background_jobs.jobs
        WHERE lane = g.lane AND fair_key = g.fair_key
    ), (
        SELECT max(turn_at) FROM background_jobs.finished_jobs
        WHERE lane = g.lane AND fair_key = g.fair_key AND {HAD_TURN}
    )) AS last OFFSET 0) AS own
    WHERE rounds.lane = g.lane
) END"""
"""The place of a row `g` of those given."""
PLACE_IN_POSTGRES: Final = f"""
WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
        AS g(id, lane, fair_key, turn)
), {POSTGRES_ROUNDS},
placed AS MATERIALIZED (SELECT id, {POSTGRES_PLACE} AS place FROM given g)
UPDATE background_jobs.jobs j SET place_at = placed.place, turn_at = placed.place
FROM placed WHERE j.id = placed.id
"""


def _round(place: str, later: str, half: str = "000") -> str:
    """Return the round so many seconds after that of a place, as SQL of SQLite."""
    return f"strftime('%Y-%m-%d %H:%M:%f{half}', substr({place}, 1, 23), '{later} seconds')"


def sqlite_place(lane: str, key: str, turn: str) -> str:
    """Return the place of a job as SQL, by the parameters for its lane, its key and its turn."""
    after_all = f"""max(
        coalesce({_round("last", "+0.002")}, ''), strftime('%Y-%m-%d 00:00:00', 'now', '-100 years')
    )"""
    return f"""CASE WHEN {turn} IS NOT NULL THEN (
    SELECT CASE WHEN own >= front THEN {_round("own", "+0.001", "500")}
        WHEN {_round("last", "+0.001")} >= front OR EXISTS (
            SELECT 1 FROM background_jobs_jobs AS j INDEXED BY ix_background_jobs_jobs_running
            WHERE j.state = 'Running' AND j.lane = {lane}
                AND {_round("j.turn_at", "+0.001")} >= front
        ) THEN front
        ELSE {_round("front", "+0", "500")} END
    FROM (
        SELECT own, last, {_round(f"coalesce(head, {after_all})", "+0")} AS front
        FROM (SELECT (
            SELECT {PLACE} FROM background_jobs_jobs
            WHERE lane = {lane} AND {IN_LANE} AND {PLACE} < '2000-01-01' ORDER BY {PLACE} LIMIT 1
        ) AS head, (
            SELECT max(turn_at) FROM background_jobs_finished_jobs
            WHERE lane = {lane} AND {HAD_TURN}
        ) AS last, max(coalesce((
            SELECT max(turn_at) FROM background_jobs_jobs WHERE lane = {lane} AND fair_key = {key}
        ), ''), coalesce((
            SELECT max(turn_at) FROM background_jobs_finished_jobs
            WHERE lane = {lane} AND fair_key = {key} AND {HAD_TURN}
        ), '')) AS own)
    )
) END"""


PLACE_IN_SQLITE: Final = f"""
UPDATE background_jobs_jobs SET (place_at, turn_at) = (
    SELECT place, place FROM (SELECT {sqlite_place("?2", "?3", "?4")} AS place)
) WHERE id = ?1
"""
