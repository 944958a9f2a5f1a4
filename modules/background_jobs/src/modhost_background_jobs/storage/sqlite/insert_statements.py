"""Inserts of jobs on SQLite."""

from functools import cache
from typing import Final

from modhost_background_jobs.storage.columns import (
    FLOWING,
    INITIAL,
    INITIAL_FLOWING,
    NEW,
    NODE,
    listed,
)
from modhost_background_jobs.storage.flow.held_statements import sqlite_held_by
from modhost_background_jobs.storage.flow.turn_statements import sqlite_place
from modhost_background_jobs.storage.tables import IS_UNIQUE

_ALLOWANCE: Final = NEW.index("max_attempts") + 1

INSERT: Final = f"""
INSERT INTO background_jobs_jobs ({listed((*NEW, "attempts_left", *INITIAL))})
VALUES ({", ".join(f"?{number}" for number in range(1, len(NEW) + 1))}, ?{_ALLOWANCE},
    {", ".join(INITIAL.values())})
"""

INSERT_LARGE: Final = "INSERT INTO background_jobs_large_data (job_id, data) VALUES (?, ?)"


@cache
def insert_flowing(*, unless_there: bool = False, are_nodes: bool = False) -> str:
    """Return the insert of a job with flow control.

    Args:
        unless_there: whether a job whose id or unique key is taken is left out.
        are_nodes: whether it has the values of `NODE`.

    """
    names = (*FLOWING, *NODE) if are_nodes else FLOWING
    initial = {name: sql for name, sql in INITIAL_FLOWING.items() if name not in names}
    parameter = {name: f"?{number}" for number, name in enumerate((*names, "turn"), 1)}
    if not are_nodes:
        parameter["held_by"] = sqlite_held_by(parameter)
    place = sqlite_place(*(parameter[name] for name in ("lane", "fair_key", "turn")))
    return f"""
INSERT INTO background_jobs_jobs
    ({listed((*names, "attempts_left", *initial, "place_at", "turn_at"))})
SELECT {", ".join(parameter[name] for name in (*names, "max_attempts"))},
    {", ".join(initial.values())}, place, place
FROM (SELECT {place} AS place) WHERE true
{"ON CONFLICT DO NOTHING" if unless_there else ""}
"""


HOLDER: Final = f"SELECT id FROM background_jobs_jobs WHERE unique_key = ? AND {IS_UNIQUE}"

EXISTING: Final = "SELECT id FROM background_jobs_jobs WHERE id IN (SELECT value FROM json_each(?))"

INSERT_WORDS: Final = """
INSERT INTO background_jobs_job_words (word, job_id) VALUES (?, ?) ON CONFLICT DO NOTHING
"""

INSERT_TAGS: Final = """
INSERT INTO background_jobs_job_tags (tag, job_id)
SELECT word.value, job.id FROM json_each(?) AS given
CROSS JOIN background_jobs_jobs AS job ON job.id = given.value
CROSS JOIN json_each(job.tags) AS word
WHERE true ON CONFLICT DO NOTHING
"""
