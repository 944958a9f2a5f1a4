"""What holds a due job back as it is inserted, as SQL: one of its key and lane before it is held.

It would start after that anyway. So no claim has to check it, and it leaves no dead entry in the
index of claims, which each claim would pass until PostgreSQL vacuums. Should its key become free
before the insert commits, a sweep lets go of it. Jobs that wait for others, and fair ones, are left
to claims.
"""

from collections.abc import Mapping
from typing import Final

from modhost_background_jobs.storage.tables import PLACE

POSTGRES_HELD_BY: Final = f"""coalesce(g.held_by, (
    SELECT due.held_by FROM (
        SELECT (pair ->> 0) || chr(31) || (pair ->> 1) AS held_by
        FROM json_array_elements(g.limits::json) AS pair
    ) due
    WHERE g.turn IS NULL AND g.execute_at <= g.created_at AND (
        SELECT ({PLACE}, j.id) < (g.execute_at, g.id) FROM background_jobs.jobs j
        WHERE j.held_by = due.held_by AND j.lane = g.lane ORDER BY {PLACE}, j.id LIMIT 1
    )
    LIMIT 1
))"""
"""What holds back a row `g` of those given."""


def sqlite_held_by(parameter: Mapping[str, str]) -> str:
    """Return what holds back a job as SQL, by the parameters for its values."""
    return """coalesce({held_by}, (
    SELECT due.held_by FROM (
        SELECT json_extract(value, '$[0]') || char(31) || json_extract(value, '$[1]') AS held_by
        FROM json_each({limits})
    ) due
    WHERE {turn} IS NULL AND {execute_at} <= {created_at} AND (
        SELECT ({PLACE}, j.id) < ({execute_at}, {id}) FROM background_jobs_jobs j
        WHERE j.held_by = due.held_by AND j.lane = {lane} ORDER BY {PLACE}, j.id LIMIT 1
    )
    LIMIT 1
))""".format(PLACE=PLACE, **parameter)
