"""Single jobs with everything about them: their data, their attempts, their logs."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    FromClause,
    RowMapping,
    Select,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobAttempt, JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.model.pauses import PauseRow
from modhost_background_jobs.queries.logs import LogRow
from modhost_background_jobs.queries.rows import both_tables, job_row
from modhost_background_jobs.storage.large_data import data_of
from modhost_background_jobs.storage.tables import ATTEMPTS, FINISHED, LOGS, PAUSES, SCHEDULES

_PAUSE: Final = tuple(field.name for field in fields(PauseRow))


def _with_what_stops_it(jobs: Select[Any]) -> Select[Any]:
    """Select jobs, each with the name of its schedule if that is disabled, and with its pauses."""
    job = jobs.subquery()
    disabled = select(SCHEDULES.c.name).where(
        SCHEDULES.c.id == job.c.recurring_job_id, ~SCHEDULES.c.is_enabled
    )
    pauses = {kind: PAUSES.alias(f"{kind}_pause") for kind in ("queue", "type")}
    paused = {"queue": job.c.queue, "type": job.c.job_type}
    source: FromClause = job
    for kind, pause in pauses.items():
        is_its = (pause.c.kind == literal_column(f"'{kind}'"), pause.c.name == paused[kind])
        source = source.outerjoin(pause, and_(*is_its))
    return select(
        job,
        disabled.scalar_subquery().label("disabled_schedule"),
        *(
            pause.c[name].label(f"{kind}_{name}")
            for kind, pause in pauses.items()
            for name in _PAUSE
        ),
    ).select_from(source)


def _pauses(found: RowMapping) -> list[PauseRow]:
    return [
        PauseRow(**{name: found[f"{kind}_{name}"] for name in _PAUSE})
        for kind in ("queue", "type")
        if found[f"{kind}_name"] is not None
    ]


# Made once: a statement costs more to make than to run.
_FIND: Final = _with_what_stops_it(both_tables("data", "result", where="job_id"))
_FIND_LIVE: Final = _with_what_stops_it(both_tables(where="ids"))


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job with its attempts, the running one included, its data and result as stored, its log.

    `disabled_schedule` is the name of its schedule when that is disabled; `pauses` are those of its
    queue and of its type.
    """

    row: JobRow
    attempts: Sequence[JobAttempt]
    disabled_schedule: str | None
    pauses: Sequence[PauseRow] = ()
    data: str | None = None
    log: Sequence[LogRow] = ()
    result: str | None = None


class Known(NamedTuple):
    """What is known of a job from before."""

    row: JobRow
    attempts: Sequence[JobAttempt]
    result: str | None


class JobDetailReader:
    """Reads single jobs, in two statements each, and large data in a third."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, job_id: UUID, lines: int | None = None, words: str | None = None
    ) -> JobDetails | None:
        """Return a job; None for an unknown id.

        Args:
            job_id: which one.
            lines: how many of the newest log lines; None for all.
            words: the words, in any case, that the log lines must have; None or "" for any.

        """
        bound = {"job_id": job_id}
        async with self._database.reading() as session:
            connection = await session.connection()
            found = (await connection.execute(_FIND, bound)).mappings().one_or_none()
            if found is None:
                return None
            records = (await connection.execute(_records(lines, words), bound)).all()
            data = await data_of(connection, job_id, found["data"])
        row = job_row(found)
        ended = [_attempt(each) for each in records if each.number is not None]
        log = [
            LogRow(job_id, each.position, each.started_at, each.error)
            for each in records
            if each.number is None
        ]
        attempts = _all_attempts(row, ended)
        return JobDetails(
            row,
            attempts,
            found["disabled_schedule"],
            _pauses(found),
            data,
            log,
            found["result"],
        )

    async def find_live(
        self, ids: Collection[UUID], known: Mapping[UUID, Known]
    ) -> list[JobDetails]:
        """Return the jobs of these ids that exist, without data and log.

        The attempts, and the result, are read only of a job whose row differs from the known one.
        """
        async with self._database.reading() as session:
            connection = await session.connection()
            found = (await connection.execute(_FIND_LIVE, {"ids": list(ids)})).mappings().all()
            rows = {each["id"]: job_row(each) for each in found}
            changed = [
                id_ for id_, row in rows.items() if id_ not in known or known[id_].row != row
            ]
            ended: dict[UUID, list[JobAttempt]] = defaultdict(list)
            if changed:
                of_changed = select(ATTEMPTS).where(ATTEMPTS.c.job_id.in_(changed))
                for each in await connection.execute(of_changed.order_by(ATTEMPTS.c.fence)):
                    ended[each.job_id].append(_attempt(each))
            results = {id_: known[id_].result for id_ in rows if id_ in known}
            results |= await _results(connection, [rows[id_] for id_ in changed])
        attempts = {id_: known[id_].attempts for id_ in rows if id_ in known}
        attempts |= {id_: _all_attempts(rows[id_], ended[id_]) for id_ in changed}
        return [
            JobDetails(
                rows[each["id"]],
                attempts[each["id"]],
                each["disabled_schedule"],
                _pauses(each),
                result=results.get(each["id"]),
            )
            for each in found
        ]


async def _results(connection: AsyncConnection, rows: Collection[JobRow]) -> dict[UUID, str | None]:
    """Return the results of the jobs that have completed, and None for the others."""
    results: dict[UUID, str | None] = dict.fromkeys(row.id for row in rows)
    if done := [row.id for row in rows if row.state is JobState.COMPLETED]:
        wanted = select(FINISHED.c.id, FINISHED.c.result).where(FINISHED.c.id.in_(done))
        results |= {each.id: each.result for each in await connection.execute(wanted)}
    return results


def _attempt(found: Any) -> JobAttempt:
    return JobAttempt(
        number=found.number,
        started_at=found.started_at,
        ended_at=found.ended_at,
        worker=found.worker,
        error=found.error,
    )


def _all_attempts(row: JobRow, ended: list[JobAttempt]) -> list[JobAttempt]:
    return ended if row.latest_attempt is None else [*ended, row.latest_attempt]


def _records(lines: int | None, words: str | None) -> Select[Any]:
    """Select the ended attempts and the log of a job, each in order.

    A log line has its time as `started_at`, its message as `error`, and no number.
    """
    columns = ("number", "started_at", "ended_at", "worker", "error")
    attempts = select(
        ATTEMPTS.c.fence.label("position"), *(ATTEMPTS.c[name] for name in columns)
    ).where(ATTEMPTS.c.job_id == bindparam("job_id"))
    log = select(LOGS).where(LOGS.c.job_id == bindparam("job_id"))
    if words:
        log = log.where(func.lower(LOGS.c.message).contains(words.lower(), autoescape=True))
    newest = log.order_by(LOGS.c.line.desc()).limit(lines).subquery()
    given = {"started_at": newest.c.logged_at, "error": newest.c.message}
    of_log = [given.get(name, cast(null(), ATTEMPTS.c[name].type)) for name in columns]
    records = union_all(attempts, select(newest.c.line, *of_log)).subquery()
    return select(records).order_by(records.c.position)
