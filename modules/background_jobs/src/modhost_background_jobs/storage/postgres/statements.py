"""Statements of the hot path on PostgreSQL, each one round trip and one transaction.

Batches travel as arrays that `unnest` turns into rows: one of any size is one prepared statement.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql

from modhost_background_jobs.storage.columns import (
    FLOWING,
    INITIAL,
    INITIAL_FLOWING,
    NEW,
    NODE,
    listed,
)
from modhost_background_jobs.storage.flow.held_statements import POSTGRES_HELD_BY
from modhost_background_jobs.storage.flow.turn_statements import POSTGRES_PLACE, POSTGRES_ROUNDS
from modhost_background_jobs.storage.tables import IS_UNIQUE, JOBS

_ALLOWANCE: Final = NEW.index("max_attempts") + 1
_DIALECT: Final[Dialect] = postgresql.dialect()  # type: ignore[no-untyped-call]
_PARAMETERS: Final = tuple(f"${number}" for number in range(1, len(NEW) + 1))
_TYPES: Final = tuple(JOBS.c[name].type.compile(_DIALECT) for name in NEW)
_ARRAYS: Final = ", ".join(
    f"{parameter}::{type_}[]" for parameter, type_ in zip(_PARAMETERS, _TYPES, strict=True)
)
_INTO_JOBS: Final = f"""
    INSERT INTO background_jobs.jobs ({listed((*NEW, "attempts_left", *INITIAL))})
"""
_INSERT: Final = f"""{_INTO_JOBS}
    SELECT {listed(NEW, "g")}, g.max_attempts, {", ".join(INITIAL.values())}
    FROM unnest({_ARRAYS}) AS g({listed(NEW)})
"""

# One job is the usual case, and arrays of one cost more than the insert.
_INSERT_ONE: Final = f"""{_INTO_JOBS}
    VALUES ({", ".join(_PARAMETERS)}, ${_ALLOWANCE}, {", ".join(INITIAL.values())})
"""

NOTIFY: Final = "SELECT pg_notify('background_jobs', 'due')"


class Insert(NamedTuple):
    """An insert of many jobs and one of a single job."""

    many: str
    one: str


INSERT: Final = Insert(_INSERT, _INSERT_ONE)
# One notification a statement, inside the inserting transaction: workers wake when it commits.
INSERT_AND_NOTIFY: Final = Insert(*(f"WITH inserted AS ({insert}) {NOTIFY}" for insert in INSERT))

_FLOWING_TYPES: Final = {
    name: JOBS.c[name].type.compile(_DIALECT).partition(" COLLATE")[0] for name in (*FLOWING, *NODE)
} | {"words": "text", "turn": "bigint"}

_WORDS: Final = """,
worded AS (
    INSERT INTO background_jobs.job_words (word, job_id)
    SELECT word, id FROM inserted JOIN given USING (id), json_array_elements_text(words::json) word
    ON CONFLICT DO NOTHING
)"""


@cache
def insert_flowing(
    *,
    unless_there: bool = False,
    notifies: bool = False,
    are_nodes: bool = False,
    have_turns: bool = True,
    have_words: bool = False,
) -> Insert:
    """Return the inserts of jobs with flow control or a summary; they return the ids.

    Args:
        unless_there: whether jobs whose id or unique key is taken are left out.
        notifies: whether workers are woken when it commits.
        are_nodes: whether they have the values of `NODE`.
        have_turns: whether some of them are fair and due.
        have_words: whether some of them have a summary, and with it the words to be found by.

    """
    names = (*FLOWING, *NODE) if are_nodes else FLOWING
    initial = {name: sql for name, sql in INITIAL_FLOWING.items() if name not in names}
    turns = (f"{POSTGRES_ROUNDS},", POSTGRES_PLACE) if have_turns else ("", "NULL::timestamptz")
    columns = (*names, *(("words",) if have_words else ()), "turn")
    given = [f"${n}::{_FLOWING_TYPES[name]}" for n, name in enumerate(columns, 1)]
    arrays = ", ".join(f"{each}[]" for each in given)
    values = listed(names, "g").replace("g.held_by", "g.held_by" if are_nodes else POSTGRES_HELD_BY)
    woken = ", pg_notify('background_jobs', 'due')" if notifies else ""

    def insert(source: str) -> str:
        return f"""
WITH given AS (SELECT * FROM {source} AS g({listed(columns)})),
{turns[0]}
inserted AS (
    INSERT INTO background_jobs.jobs
        ({listed((*names, "attempts_left", *initial, "place_at", "turn_at"))})
    SELECT {values}, g.max_attempts, {", ".join(initial.values())}, place, place
    FROM given g CROSS JOIN LATERAL (SELECT {turns[1]} AS place OFFSET 0) AS placed
    {"ON CONFLICT DO NOTHING" if unless_there else ""}
    RETURNING id, tags
),
tagged AS (
    INSERT INTO background_jobs.job_tags (tag, job_id)
    SELECT word, id FROM inserted, json_array_elements_text(tags::json) AS word
    ON CONFLICT DO NOTHING
){_WORDS if have_words else ""}
SELECT id{woken} FROM inserted
"""

    return Insert(insert(f"unnest({arrays})"), insert(f"(VALUES ({', '.join(given)}))"))


def insert_with(insert: Insert, rows: Sequence[Sequence[Any]]) -> tuple[str, Sequence[Any]]:
    """Return the statement that inserts the rows, and what it takes."""
    if len(rows) == 1:
        return insert.one, rows[0]
    return insert.many, tuple(map(list, zip(*rows, strict=True)))


HOLDER: Final = f"SELECT id FROM background_jobs.jobs WHERE unique_key = $1 AND {IS_UNIQUE}"

NOTE_BEGIN: Final = """
UPDATE background_jobs.jobs SET has_begun = true
WHERE id = $1 AND fence = $2 AND state = 'Running' RETURNING id
"""

NEXT_DUE: Final = """
SELECT min(due.execute_at)
FROM unnest($1::text[]) AS t(job_type)
CROSS JOIN LATERAL (
    SELECT j.execute_at FROM background_jobs.jobs j
    WHERE j.job_type = t.job_type AND j.state = 'Pending' AND NOT j.on_hold
        AND j.lane IS NULL
    ORDER BY j.execute_at LIMIT 1
) due
"""

LEASES: Final = """
SELECT id, fence, cancel_requested_at IS NOT NULL AS stop
FROM background_jobs.jobs WHERE worker = $1 AND state = 'Running'
"""
