"""Inserts of jobs on SQLite."""

from typing import Final

from modhost_background_jobs.storage.columns import (
    FLOWING,
    INITIAL,
    INITIAL_FLOWING,
    NEW,
    listed,
)
from modhost_background_jobs.storage.flow.turn_statements import sqlite_place
from modhost_background_jobs.storage.tables import IS_UNIQUE

_ALLOWANCE: Final = NEW.index("max_attempts") + 1

INSERT: Final = f"""
INSERT INTO background_jobs_jobs ({listed((*NEW, "attempts_left", *INITIAL))})
VALUES ({", ".join(f"?{number}" for number in range(1, len(NEW) + 1))}, ?{_ALLOWANCE},
    {", ".join(INITIAL.values())})
"""

INSERT_LARGE: Final = "INSERT INTO background_jobs_large_data (job_id, data) VALUES (?, ?)"

_PARAMETER: Final = {name: f"?{number}" for number, name in enumerate((*FLOWING, "turn"), 1)}
_PLACE: Final = sqlite_place(*(_PARAMETER[name] for name in ("lane", "fair_key", "turn")))

INSERT_FLOWING: Final = f"""
INSERT INTO background_jobs_jobs
    ({listed((*FLOWING, "attempts_left", *INITIAL_FLOWING, "place_at"))})
VALUES ({", ".join(_PARAMETER[name] for name in (*FLOWING, "max_attempts"))},
    {", ".join(INITIAL_FLOWING.values())}, {_PLACE})
"""
INSERT_FREE: Final = f"{INSERT_FLOWING} ON CONFLICT DO NOTHING"

HOLDER: Final = f"SELECT id FROM background_jobs_jobs WHERE unique_key = ? AND {IS_UNIQUE}"

EXISTING: Final = "SELECT id FROM background_jobs_jobs WHERE id IN (SELECT value FROM json_each(?))"

INSERT_TAGS: Final = """
INSERT INTO background_jobs_job_tags (tag, job_id)
SELECT word.value, job.id FROM json_each(?) AS given
CROSS JOIN background_jobs_jobs AS job ON job.id = given.value
CROSS JOIN json_each(job.tags) AS word
WHERE true ON CONFLICT DO NOTHING
"""
