"""What is stored beside the row of a job: ended attempts, log, steps, and the jobs around it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, cast, literal_column, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobAttempt
from modhost_background_jobs.model.steps import StepRow
from modhost_background_jobs.queries.logs import LogRow
from modhost_background_jobs.queries.workflows.neighbours import (
    Neighbours,
    neighbours_among,
    neighbours_of,
)
from modhost_background_jobs.storage.dialects import lowered
from modhost_background_jobs.storage.tables import ATTEMPTS, LOGS, STEPS

STEPS_SHOWN: Final = 300
"""How many steps of a job that is watched are read, the latest ones."""


class Records(NamedTuple):
    """The records of one job, each in order."""

    attempts: list[JobAttempt]
    log: list[LogRow]
    steps: list[StepRow]
    neighbours: Neighbours


async def read_records(
    connection: AsyncConnection, job_id: UUID, lines: int | None, words: str | None, before: int
) -> Records:
    """Return the records of a job, by one statement.

    Args:
        connection: where they are read.
        job_id: which job.
        lines: how many of the newest log lines, and of the latest steps; None for all.
        words: the words, in any case, that the log lines must have; None or "" for any.
        before: how many of the jobs that it waits, or has waited, for.

    """
    kinds: dict[str, list[Any]] = defaultdict(list)
    for each in await connection.execute(_records(lines, words, before), {"job_id": job_id}):
        kinds[each.kind].append(each)
    return Records(
        [attempt_of(each) for each in kinds["attempt"]],
        [LogRow(job_id, each.position, each.started_at, each.error) for each in kinds["line"]],
        [_step(each) for each in kinds["step"]],
        neighbours_among(kinds["before"], kinds["after"]),
    )


async def read_steps(
    connection: AsyncConnection, numbers: Mapping[UUID, int]
) -> dict[UUID, list[StepRow]]:
    """Return the latest steps of jobs, of which so many are known, in order.

    Takes no statement where there are none.
    """
    steps: dict[UUID, list[StepRow]] = {id_: [] for id_ in numbers}
    if with_steps := [id_ for id_, number in numbers.items() if number]:
        wanted = select(STEPS).where(STEPS.c.job_id.in_(with_steps)).order_by(STEPS.c.number)
        for each in await connection.execute(wanted):
            steps[each.job_id].append(
                StepRow(each.name, each.number, each.started_at, each.ended_at, each.result)
            )
    return {id_: each[-STEPS_SHOWN:] for id_, each in steps.items()}


def attempt_of(found: Any) -> JobAttempt:
    """Return the attempt of a row."""
    return JobAttempt(
        number=found.number,
        started_at=found.started_at,
        ended_at=found.ended_at,
        worker=found.worker,
        error=found.error,
    )


def _step(found: Any) -> StepRow:
    return StepRow(found.worker, found.position, found.started_at, found.ended_at, found.error)


def _records(lines: int | None, words: str | None, before: int) -> Select[Any]:
    """Select the ended attempts, the log, the steps and the neighbours of a job, each in order.

    A log line has its time as `started_at`, and its message as `error`; a step has its name as
    `worker`, and its result as `error`; a neighbour its type as `worker`.
    """
    job = bindparam("job_id", type_=ATTEMPTS.c.job_id.type)
    columns = ("number", "started_at", "ended_at", "worker", "error")
    attempts = select(
        literal_column("'attempt'").label("kind"),
        ATTEMPTS.c.fence.label("position"),
        ATTEMPTS.c.job_id,
        *(ATTEMPTS.c[name] for name in columns),
    ).where(ATTEMPTS.c.job_id == job)
    log = select(LOGS).where(LOGS.c.job_id == job)
    if words:
        log = log.where(lowered(LOGS.c.message).contains(words.lower(), autoescape=True))
    newest = log.order_by(LOGS.c.line.desc()).limit(lines).subquery()
    given = {"started_at": newest.c.logged_at, "error": newest.c.message}
    of_log = [given.get(name, cast(null(), ATTEMPTS.c[name].type)) for name in columns]
    latest = select(STEPS).where(STEPS.c.job_id == job)
    step = latest.order_by(STEPS.c.number.desc()).limit(lines).subquery().c
    of_step = (step.number, step.started_at, step.ended_at, step.name, step.result)
    records = union_all(
        attempts,
        select(literal_column("'line'"), newest.c.line, newest.c.job_id, *of_log),
        select(literal_column("'step'"), step.number, step.job_id, *of_step),
        *(_alike(each.subquery().c, columns) for each in neighbours_of(job, before)),
    ).subquery()
    return select(records).order_by(records.c.position)


def _alike(neighbour: Any, columns: Sequence[str]) -> Select[Any]:
    given = {"worker": neighbour.job_type}
    values = [given.get(name, cast(null(), ATTEMPTS.c[name].type)) for name in columns]
    return select(neighbour.kind, neighbour.position, neighbour.job_id, *values)
