"""Finished jobs as the rows that are stored of them, with their attempts, logs and tags."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from benchmarks.demo.jobs import ShopJob
from benchmarks.demo.past.plan import Planned
from benchmarks.demo.shop import MODULE, MODULE_VERSION, Story, type_of
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model.data.summaries import words_in

BACKOFF: Final = 10.0
LOGGED: Final = timedelta(hours=2)
"""Jobs that failed have logs, and those that finished within this time."""


class Ended(NamedTuple):
    """A job that a worker has ended: what is counted of it."""

    job_type: str
    queue: str
    worker: str
    state: JobState
    at: datetime
    waited: float
    ran: float


@dataclass
class Rows:
    """Rows of some jobs, by the tables that they belong to."""

    jobs: list[Mapping[str, Any]] = field(default_factory=list)
    attempts: list[Mapping[str, Any]] = field(default_factory=list)
    logs: list[Mapping[str, Any]] = field(default_factory=list)
    tags: list[Mapping[str, Any]] = field(default_factory=list)
    words: list[Mapping[str, Any]] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)


def rows_of(story: Story, planned: list[Planned]) -> Rows:
    """Return the rows of jobs that have finished."""
    rows = Rows()
    for each in planned:
        _add(rows, story, each)
    return rows


def common(story: Story, job: type[ShopJob], data: Any, id_: UUID) -> dict[str, Any]:
    """Return what every job is stored with, finished or not."""
    tags = story.tags(job, data)
    return {
        "id": id_,
        "job_type": type_of(job),
        "module_name": MODULE,
        "module_version": MODULE_VERSION,
        "data": data.model_dump_json(),
        "queue": job.queue,
        "priority": job.priority,
        "tags": json.dumps(tags) if tags else None,
        "summary": job.summary(data),
    }


def _add(rows: Rows, story: Story, each: Planned) -> None:
    data = each.data or story.data(each.job)
    id_ = each.id_ or story.id_at(each.at)
    row = common(story, each.job, data, id_)
    rows.tags += [{"tag": tag, "job_id": id_} for tag in story.tags(each.job, data)]
    rows.words += [{"word": word, "job_id": id_} for word in words_in(row["summary"])]
    due_at = each.at + each.after
    row |= {
        "state": each.state.value,
        "created_at": each.at,
        "execute_at": due_at,
        "attempt": 0,
        "max_attempts": 3,
        "attempts_left": 3,
        "fence": 0,
        "started_at": None,
        "completed_at": due_at,
        "worker": None,
        "progress_percentage": 0,
        "progress_message": None,
        "error": each.reason,
        "recurring_job_id": each.run.schedule if each.run else None,
        "due_at": each.run.due_at if each.run else None,
        "enqueued_by": f"schedule:{each.run.name}" if each.run else None,
        "workflow_id": each.workflow,
    }
    if each.state in (JobState.COMPLETED, JobState.FAILED):
        _run(rows, story, each, row)
    rows.jobs.append(row)


def _run(rows: Rows, story: Story, each: Planned, row: dict[str, Any]) -> None:
    """Let a job run: once, or as often as it has failed."""
    waited, ran = story.seconds(each.job, each.at)
    attempts, error = 1, None
    if each.cause is not None:
        attempts, error = each.cause.attempts, each.cause.text(story)
        ran *= 0.3
    start = row["execute_at"] + timedelta(seconds=waited)
    worker = story.chance.choice(story.workers)
    for number in range(1, attempts):
        ended_at = start + timedelta(seconds=ran)
        rows.attempts.append(
            {
                "job_id": row["id"],
                "fence": number,
                "number": number,
                "started_at": start,
                "ended_at": ended_at,
                "worker": worker,
                "error": error,
            }
        )
        start = ended_at + timedelta(seconds=BACKOFF * 2 ** (number - 1))
        row["execute_at"] = start
        waited = 0.0
    # Nothing has finished that somebody could not see yet.
    latest = story.now - timedelta(seconds=1 + story.chance.random())
    end = min(start + timedelta(seconds=ran), latest)
    start = min(start, end - timedelta(seconds=0.05))
    has_completed = error is None
    row |= {
        "attempt": attempts,
        "max_attempts": max(attempts, 1 if each.cause else 3),
        "attempts_left": 0 if each.cause else 2,
        "fence": attempts,
        "started_at": start,
        "completed_at": end,
        "worker": worker,
        "progress_percentage": 100 if has_completed else 50,
        "progress_message": "Done" if has_completed else each.job.steps[-1],
        "error": error,
    }
    ended = Ended(
        row["job_type"],
        row["queue"],
        worker,
        each.state,
        end,
        waited,
        (end - start).total_seconds(),
    )
    rows.ended.append(ended)
    if not has_completed or end > story.now - LOGGED:
        rows.logs += log_of(each.job, row["id"], attempts, start, end)


def log_of(
    job: type[ShopJob], id_: UUID, fence: int, start: datetime, end: datetime, done: float = 1
) -> Iterator[Mapping[str, Any]]:
    """Yield the lines that an attempt has logged, of which a part may be done."""
    for number, step in enumerate(job.steps):
        if number > done * len(job.steps):
            return
        yield {
            "job_id": id_,
            "line": (fence << 32) + number,
            "logged_at": start + (end - start) * number / (done * len(job.steps)),
            "message": step,
        }
