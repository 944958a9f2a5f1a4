"""The queue's values as rows of SQLite, and back."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from modhost.database import Identifier, UtcDateTime, from_sqlite, to_sqlite
from modhost_background_jobs.model import (
    ClaimedJob,
    Ended,
    Lease,
    LogLine,
    NewJob,
    ProgressUpdate,
)
from modhost_background_jobs.storage.columns import NEW
from modhost_background_jobs.storage.large_data import ELSEWHERE, is_large
from modhost_background_jobs.storage.tables import JOBS

_new: Final = attrgetter(*NEW)
_DATA: Final = NEW.index("data")
# The jobs of one call share their times.
_CONVERTERS: Final[dict[type, Callable[[Any], str]]] = {
    Identifier: str,
    UtcDateTime: lru_cache(maxsize=64)(to_sqlite),
}
_CONVERTED: Final = [
    (position, _CONVERTERS[type(JOBS.c[name].type)])
    for position, name in enumerate(NEW)
    if type(JOBS.c[name].type) in _CONVERTERS
]


def inserted(job: NewJob) -> list[object]:
    """Return what inserts a job, without large data."""
    return as_stored(_new(job))


def as_stored(values: Iterable[Any]) -> list[object]:
    """Return what begins with the values of a new job as SQLite has it, without large data."""
    row = list(values)
    if is_large(row[_DATA]):
        row[_DATA] = ELSEWHERE
    for position, convert in _CONVERTED:
        if row[position] is not None:
            row[position] = convert(row[position])
    return row


def claimed(row: tuple[Any, ...], now: datetime) -> ClaimedJob:
    """Return the job of a claim's row."""
    id_, fence, job_type, data, attempt, attempts_left, timeout, execute_at, *more = row
    max_attempts, rescues, run_of, due_at, module_version, lane, limits = more[:-4]
    workflow_id, checkpoint, is_awaited, traceparent = more[-4:]
    return ClaimedJob(
        Lease(UUID(id_), fence),
        job_type,
        data,
        attempt,
        attempts_left,
        timeout,
        from_sqlite(execute_at),
        now,
        max_attempts,
        rescues,
        run_of and UUID(run_of),
        due_at and from_sqlite(due_at),
        module_version,
        lane,
        limits,
        workflow_id and UUID(workflow_id),
        checkpoint,
        bool(is_awaited),
        traceparent,
    )


def progress(update: ProgressUpdate) -> list[object]:
    """Return what stores a job's progress."""
    id_, fence = update.lease
    return [str(id_), fence, update.percentage, update.message, to_sqlite(update.reported_at)]


def log_line(line: LogLine) -> list[object]:
    """Return what appends a log line."""
    id_, fence = line.lease
    return [str(id_), fence, line.line, to_sqlite(line.logged_at), line.message]


def ended(end: Ended) -> list[object]:
    """Return what ends a job."""
    id_, fence = end.lease
    row = [str(id_), fence, end.state.value, end.error]
    return row if end.result is None else [*row, end.result]
