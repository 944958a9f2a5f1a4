"""The jobs in the database of a test, and which of them an assertion means."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import Select, select, union_all

from modhost.database import Database
from modhost_background_jobs.contracts import JobId, JobState, ModuleJob
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.model.data.job_data import for_job, for_people, to_stored
from modhost_background_jobs.queries.rows import job_row, select_rows
from modhost_background_jobs.storage.large_data import data_of
from modhost_background_jobs.storage.tables import FINISHED, JOBS

ANY: Final[Any] = object()
"""In place of data: whatever they are."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it is stored; `data` as people see them, secrets masked."""

    id: JobId
    job_type: str
    state: JobState
    queue: str
    priority: int
    tags: tuple[str, ...]
    execute_at: datetime
    data: Any
    stored_data: str | None = field(repr=False)

    def __str__(self) -> str:
        parts = [f"data={self.data!r}", f"queue={self.queue!r}"]
        parts += [f"priority={self.priority}"] if self.priority else []
        parts += [f"tags={self.tags!r}"] if self.tags else []
        return f"{self.job_type}({', '.join(parts)}), {self.state.value}, due at {self.execute_at}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a job must be like; None, and `ANY` for the data, stand for whatever it is.

    A mapping is compared with those of the data's keys that it has.
    """

    job: type[ModuleJob]
    data: Any = ANY
    queue: str | None = None
    priority: int | None = None
    tags: Collection[str] | None = None
    execute_at: datetime | None = None

    def among(self, jobs: Iterable[StoredJob], types: JobTypes) -> list[StoredJob]:
        """Return the jobs that are meant. Raises `UnregisteredJob` and `InvalidJobData`."""
        job_type = types.of_class(self.job).job_type
        wanted = None
        if self.data is not ANY:
            wanted = to_stored(self.data, self.job.data_model)
        return [
            each
            for each in jobs
            if each.job_type == job_type
            and (self.data is ANY or self._has_data(each.stored_data, wanted))
            and self.queue in (None, each.queue)
            and self.priority in (None, each.priority)
            and (self.tags is None or set(self.tags) <= set(each.tags))
            and self.execute_at in (None, each.execute_at)
        ]

    def _has_data(self, stored: str | None, wanted: str | None) -> bool:
        found, asked = _read(stored), _read(wanted)
        if isinstance(self.data, Mapping) and isinstance(found, dict):
            return all(key in found and found[key] == value for key, value in asked.items())
        return bool(found == asked)

    def __str__(self) -> str:
        named = {
            "queue": self.queue,
            "priority": self.priority,
            "tags": self.tags,
            "execute_at": self.execute_at,
        }
        data = [] if self.data is ANY else [f"data={self.data!r}"]
        parts = data + [f"{name}={value!r}" for name, value in named.items() if value is not None]
        return " with ".join(filter(None, (self.job.__name__, ", ".join(parts))))


async def stored_jobs(database: Database, but: Collection[UUID]) -> list[StoredJob]:
    """Return the live and the finished jobs but some, in the order in which they were enqueued."""
    both = union_all(*(select_rows(table, "data") for table in (JOBS, FINISHED))).subquery()
    reading: Select[Any] = select(both).order_by(both.c.id)
    async with database.reading() as session:
        connection = await session.connection()
        rows = (await connection.execute(reading)).mappings().all()
        data = [await data_of(connection, row["id"], row["data"]) for row in rows]
    return [
        StoredJob(
            id=JobId(row.id),
            job_type=row.job_type,
            state=row.state,
            queue=row.queue,
            priority=row.priority,
            tags=row.tags,
            execute_at=row.execute_at,
            data=for_people(stored),
            stored_data=stored,
        )
        for row, stored in zip(map(job_row, rows), data, strict=True)
        if row.id not in but
    ]


def _read(stored: str | None) -> Any:
    return None if stored is None else from_json(for_job(stored))
