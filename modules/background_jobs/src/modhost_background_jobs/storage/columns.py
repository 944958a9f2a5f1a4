"""The columns of jobs, from which the statements of both databases are made."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from sqlalchemy.sql.schema import ScalarElementColumnDefault

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobRow, NewJob
from modhost_background_jobs.model.flow import (
    HAS_STARTED,
    UNTIL_STARTED,
    limits_to_stored,
    words_to_stored,
)
from modhost_background_jobs.storage.flow import turns_of
from modhost_background_jobs.storage.tables import JOBS, JobColumns

_APART: Final = ("flow", "node", "traceparent", "summary")
NEW: Final = tuple(field.name for field in fields(NewJob) if field.name not in _APART)
"""What a job is inserted with."""
_new: Final = attrgetter(*NEW)
FLOW: Final = (
    "queue",
    "priority",
    "tags",
    "lane",
    "limits",
    "unique_key",
    "fair_key",
    "traceparent",
    "summary",
)
"""What a job is inserted with besides when it uses flow control, or has a trace or a summary."""
FLOWING: Final = (*NEW, *FLOW, "held_by")
"""All that such a job is inserted with, besides its turn."""


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


INITIAL: Final = {"state": "'Pending'"} | {
    column.name: _literal(column.default.arg)
    for column in JOBS.columns
    if isinstance(column.default, ScalarElementColumnDefault) and column.name not in NEW
}
"""What every plain job begins with besides, as SQL; its `attempts_left` are its `max_attempts`."""
NODE: Final = ("workflow_id", "on_hold", "is_awaited")
"""What a job is inserted with besides when it waits for others, or others for it."""
INITIAL_FLOWING: Final = {name: sql for name, sql in INITIAL.items() if name not in FLOWING}
"""What a job with flow control begins with besides."""
CARRIED: Final = tuple(name for name in JobColumns.model_fields if name not in ("state", "error"))
"""What a job takes along when it moves from one table to the other."""
RESTORED: Final = (
    {name: name for name in CARRIED}
    | {"attempt": "attempt - 1", "attempts_left": "attempts_left + 1"}
    | {"worker": "NULL", "started_at": "NULL"}
    | {name: value for name, value in INITIAL.items() if name not in CARRIED}
    | {"is_awaited": "true"}
)
"""What a finished job becomes whose last attempt does not count after all, as SQL."""
_FRESH: Final = {
    "attempts_left": "max_attempts",
    "rescues": "0",
    "worker": "NULL",
    "started_at": "NULL",
    "progress_percentage": "0",
    "progress_message": "NULL",
    "turn_at": "NULL",
    "is_awaited": "true",
}
REVIVED: Final = (
    {name: name for name in CARRIED}
    | {name: value for name, value in INITIAL.items() if name not in CARRIED}
    | _FRESH
    | {"on_hold": "true"}
)
"""What a cancelled job becomes that waits for others again, as SQL."""
_KEY_WITH: Final = """CASE WHEN substr(unique_key, 1, 2) = '{}'
    THEN '{}' || substr(unique_key, 3) ELSE unique_key END"""
STARTED_KEY: Final = _KEY_WITH.format(UNTIL_STARTED, HAS_STARTED)
"""The unique key of a job that starts, as SQL."""
UNSTARTED_KEY: Final = _KEY_WITH.format(HAS_STARTED, UNTIL_STARTED)
"""The unique key of a job that is as if it were new."""
CLAIMED: Final = (
    "id",
    "fence",
    "job_type",
    "data",
    "attempt",
    "attempts_left",
    "timeout_seconds",
    "execute_at",
    "max_attempts",
    "rescues",
    "recurring_job_id",
    "due_at",
    "module_version",
    "lane",
    "limits",
    "workflow_id",
    "checkpoint",
    "is_awaited",
    "traceparent",
)
"""What a worker needs of a job, in the order of `ClaimedJob`."""
ROW: Final = tuple(field.name for field in fields(JobRow))
"""What is read of a job."""


FINAL_STATES: Final = tuple(state.value for state in JobState if state.is_final)


def listed(names: tuple[str, ...], table: str = "") -> str:
    """Return the names as a list in SQL, each with the alias of its table if one is given."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + name for name in names)


def flow_values(job: NewJob) -> tuple[object, ...]:
    """Return the values of `FLOW` for a job."""
    flow = job.flow
    return (
        flow.queue,
        flow.priority,
        words_to_stored(flow.tags),
        flow.lane(job.job_type),
        limits_to_stored(flow.limits),
        flow.unique.stored if flow.unique else None,
        flow.fair_key,
        job.traceparent,
        job.summary,
    )


def flowing_rows(jobs: Sequence[NewJob], *, with_words: bool = False) -> list[tuple[Any, ...]]:
    """Return the values of `FLOWING` for each job, and its turn if it is fair and due.

    Those of `NODE` are between them where jobs wait, or are waited for, and the words of their
    summaries as JSON where they are asked for.
    """
    now = max(job.created_at for job in jobs)
    keys = (
        None
        if job.flow.fair_key is None
        or job.execute_at > now
        or (job.node is not None and job.node.is_on_hold)
        else (job.flow.lane(job.job_type), job.flow.fair_key)
        for job in jobs
    )
    return [
        (
            *_new(job),
            *flow_values(job),
            job.flow.held_by,
            *_node_values(job),
            *((words_to_stored(job.words),) if with_words else ()),
            turn,
        )
        for job, turn in zip(jobs, turns_of(keys), strict=True)
    ]


def _node_values(job: NewJob) -> tuple[object, ...]:
    node = job.node
    return () if node is None else (node.workflow_id, node.is_on_hold, node.is_awaited)
