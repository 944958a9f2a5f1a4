"""Single jobs with everything about them: their data, their attempts, their logs."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import RowMapping, Select, and_, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost.database import Database
from modhost_background_jobs.contracts import JobAttempt, JobState
from modhost_background_jobs.model import JobRow
from modhost_background_jobs.model.pauses import PauseRow
from modhost_background_jobs.model.steps import StepRow
from modhost_background_jobs.queries.logs import LogRow
from modhost_background_jobs.queries.records import (
    attempt_of,
    read_records,
    read_steps,
)
from modhost_background_jobs.queries.rows import both_tables, job_row
from modhost_background_jobs.queries.workflows.neighbours import (
    ALONE,
    MAX_SHOWN,
    Condition,
    Neighbours,
    condition_columns,
    condition_of,
    name_of_workflow,
    unfinished_before,
)
from modhost_background_jobs.storage.large_data import data_of
from modhost_background_jobs.storage.tables import (
    ATTEMPTS,
    CONDITIONS,
    FINISHED,
    PAUSES,
    SCHEDULES,
    STEPS,
)

_PAUSE: Final = tuple(field.name for field in fields(PauseRow))


def _with_what_stops_it(jobs: Select[Any]) -> Select[Any]:
    """Select jobs with what they wait for: pauses, others; and with their disabled schedules."""
    job = jobs.subquery()
    disabled = select(SCHEDULES.c.name).where(
        SCHEDULES.c.id == job.c.recurring_job_id, ~SCHEDULES.c.is_enabled
    )
    pauses = {kind: PAUSES.alias(f"{kind}_pause") for kind in ("queue", "type")}
    paused = {"queue": job.c.queue, "type": job.c.job_type}
    source = job.outerjoin(CONDITIONS, CONDITIONS.c.job_id == job.c.id)
    for kind, pause in pauses.items():
        is_its = (pause.c.kind == literal_column(f"'{kind}'"), pause.c.name == paused[kind])
        source = source.outerjoin(pause, and_(*is_its))
    return select(
        job,
        disabled.scalar_subquery().label("disabled_schedule"),
        name_of_workflow(job.c.workflow_id),
        *condition_columns(job.c.id),
        *(
            pause.c[name].label(f"{kind}_{name}")
            for kind, pause in pauses.items()
            for name in _PAUSE
        ),
    ).select_from(source)


def _with_number_of_steps(jobs: Select[Any]) -> Select[Any]:
    job = jobs.subquery()
    counted = select(func.count()).select_from(STEPS).where(STEPS.c.job_id == job.c.id)
    return select(job, counted.scalar_subquery().label("number_of_steps"))


def _pauses(found: RowMapping) -> list[PauseRow]:
    return [
        PauseRow(**{name: found[f"{kind}_{name}"] for name in _PAUSE})
        for kind in ("queue", "type")
        if found[f"{kind}_name"] is not None
    ]


# Made once: a statement costs more to make than to run.
_FIND: Final = _with_number_of_steps(
    _with_what_stops_it(both_tables("data", "result", where="job_id"))
)
_FIND_LIVE: Final = _with_number_of_steps(_with_what_stops_it(both_tables(where="ids")))


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job with its attempts, the running one included, its data and result as stored, its log.

    `disabled_schedule` is the name of its schedule when that is disabled; `pauses` are those of its
    queue and of its type. `condition` is that on which it waits, or has waited, for `neighbours`.
    """

    row: JobRow
    attempts: Sequence[JobAttempt]
    disabled_schedule: str | None
    pauses: Sequence[PauseRow] = ()
    data: str | None = None
    log: Sequence[LogRow] = ()
    result: str | None = None
    steps: Sequence[StepRow] = ()
    number_of_steps: int = 0
    workflow_name: str | None = None
    condition: Condition | None = None
    neighbours: Neighbours = ALONE


class Known(NamedTuple):
    """What is known of a job from before."""

    row: JobRow
    attempts: Sequence[JobAttempt]
    result: str | None
    number_of_steps: int
    steps: Sequence[StepRow]


class JobDetailReader:
    """Reads single jobs, in two statements each, and large data in a third."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self,
        job_id: UUID,
        lines: int | None = None,
        words: str | None = None,
        before: int = MAX_SHOWN,
    ) -> JobDetails | None:
        """Return a job; None for an unknown id.

        Args:
            job_id: which one.
            lines: how many of the newest log lines, and of the latest steps; None for all.
            words: the words, in any case, that the log lines must have; None or "" for any.
            before: how many of the jobs that it waits, or has waited, for.

        """
        bound = {"job_id": job_id}
        async with self._database.reading() as session:
            connection = await session.connection()
            found = (await connection.execute(_FIND, bound)).mappings().one_or_none()
            if found is None:
                return None
            records = await read_records(connection, job_id, lines, words, before)
            data = await data_of(connection, job_id, found["data"])
            unfinished = await unfinished_before(connection, _waiting([found]))
        row = job_row(found)
        return JobDetails(
            row,
            _all_attempts(row, records.attempts),
            found["disabled_schedule"],
            _pauses(found),
            data,
            records.log,
            found["result"],
            records.steps,
            found["number_of_steps"],
            found["workflow_name"],
            condition_of(found),
            replace(records.neighbours, unfinished=unfinished.get(job_id, ())),
        )

    async def find_live(
        self, ids: Collection[UUID], known: Mapping[UUID, Known]
    ) -> list[JobDetails]:
        """Return the jobs of these ids that exist, without data and log.

        The attempts, the result and the steps are read only of a job that differs from the known
        one by its row, or by the number of its steps.
        """
        async with self._database.reading() as session:
            connection = await session.connection()
            found = (await connection.execute(_FIND_LIVE, {"ids": list(ids)})).mappings().all()
            rows = {each["id"]: job_row(each) for each in found}
            changed = [each["id"] for each in found if _differs(known, rows[each["id"]], each)]
            ended: dict[UUID, list[JobAttempt]] = defaultdict(list)
            if changed:
                of_changed = select(ATTEMPTS).where(ATTEMPTS.c.job_id.in_(changed))
                for each in await connection.execute(of_changed.order_by(ATTEMPTS.c.fence)):
                    ended[each.job_id].append(attempt_of(each))
            results = {id_: known[id_].result for id_ in rows if id_ in known}
            results |= await _results(connection, [rows[id_] for id_ in changed])
            steps = {id_: known[id_].steps for id_ in rows if id_ in known}
            steps |= await read_steps(
                connection,
                {each["id"]: each["number_of_steps"] for each in found if each["id"] in changed},
            )
            unfinished = await unfinished_before(connection, _waiting(found))
        attempts = {id_: known[id_].attempts for id_ in rows if id_ in known}
        attempts |= {id_: _all_attempts(rows[id_], ended[id_]) for id_ in changed}
        return [
            JobDetails(
                rows[each["id"]],
                attempts[each["id"]],
                each["disabled_schedule"],
                _pauses(each),
                result=results.get(each["id"]),
                steps=steps[each["id"]],
                number_of_steps=each["number_of_steps"],
                condition=condition_of(each),
                neighbours=Neighbours(unfinished=unfinished.get(each["id"], ())),
            )
            for each in found
        ]


def _differs(known: Mapping[UUID, Known], row: JobRow, found: RowMapping) -> bool:
    before = known.get(row.id)
    if before is None or before.row != row:
        return True
    number: int = found["number_of_steps"]
    return before.number_of_steps != number


def _waiting(found: Iterable[RowMapping]) -> list[UUID]:
    return [each["id"] for each in found if each["on_hold"] and each["run_when"] is not None]


async def _results(connection: AsyncConnection, rows: Collection[JobRow]) -> dict[UUID, str | None]:
    """Return the results of the jobs that have completed, and None for the others."""
    results: dict[UUID, str | None] = dict.fromkeys(row.id for row in rows)
    if done := [row.id for row in rows if row.state is JobState.COMPLETED]:
        wanted = select(FINISHED.c.id, FINISHED.c.result).where(FINISHED.c.id.in_(done))
        results |= {each.id: each.result for each in await connection.execute(wanted)}
    return results


def _all_attempts(row: JobRow, ended: list[JobAttempt]) -> list[JobAttempt]:
    return ended if row.latest_attempt is None else [*ended, row.latest_attempt]
