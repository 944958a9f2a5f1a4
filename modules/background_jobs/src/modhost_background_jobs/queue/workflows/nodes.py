"""Inserting jobs that wait for the ends of others."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost_background_jobs.contracts import InvalidWorkflow, JobNotFound, JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.model.workflow import Node, Verdict
from modhost_background_jobs.queue.unique import insert_jobs
from modhost_background_jobs.storage.dialects import in_batches
from modhost_background_jobs.storage.end_events import EndEvents
from modhost_background_jobs.storage.tables import CONDITIONS, DEPENDENCIES, FINISHED, JOBS
from modhost_background_jobs.storage.workflows import workflow_statements
from modhost_background_jobs.storage.workflows.ending import cancel_doomed
from modhost_background_jobs.storage.workflows.rules import Doomed
from modhost_background_jobs.storage.workflows.steps import run_in_session


async def insert_nodes(
    session: AsyncSession, jobs: Sequence[NewJob], now: datetime, events: EndEvents
) -> list[UUID]:
    """Insert jobs with what they wait for; return the id of each, or that of its unique key's job.

    Jobs before them that have finished are judged at once, and what can no longer run is cancelled.
    Raises `JobNotFound` for a job to wait for that does not exist, and `InvalidWorkflow` when
    another job has the unique key of one of a workflow, or an id that one was given.
    """
    connection = await session.connection()
    await _refuse_known_ids(connection, jobs)
    nodes = {job.id: job.node for job in jobs if job.node is not None}
    before = {id_ for node in nodes.values() for id_ in node.after}
    over = await _await_ends(connection, before - {job.id for job in jobs})
    states: dict[UUID, Verdict | None] = {}
    doomed: list[Doomed] = []
    for id_, node in nodes.items():
        states[id_], decided_by = _verdict(node, over)
        if decided_by is not None:
            doomed.append(Doomed(id_, decided_by, node.when))
    placed = [_placed(job, states, before) for job in jobs]
    ids = await insert_jobs(connection, placed)
    stored = {id_ for id_, job in zip(ids, jobs, strict=True) if id_ == job.id}
    _refuse_taken_keys(jobs, ids)
    await _insert_conditions(
        connection, {id_: node for id_, node in nodes.items() if id_ in stored}, over, states
    )
    failed = {id_ for id_, state in over.items() if state is JobState.FAILED}
    statements = workflow_statements(connection.dialect.name)
    to_cancel = [each for each in doomed if each.job_id in stored]
    cancelling = cancel_doomed(statements, to_cancel, failed, now)
    await events.store(session, await run_in_session(connection, cancelling), now)
    return ids


async def _await_ends(connection: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, JobState]:
    """Have the ends of jobs noticed; return the states of those that have finished.

    The others are locked until the transaction ends, so that none of them ends before it is known
    who waits for it.
    """
    over: dict[UUID, JobState] = {}
    for some in in_batches(sorted(ids)):
        left = set(some)
        # A finished job has come back in between, by a retry, where it is not found.
        for _ in range(3):
            awaiting = update(JOBS).where(JOBS.c.id.in_(left)).values(is_awaited=True)
            live = (await connection.execute(awaiting.returning(JOBS.c.id))).scalars()
            left -= set(live)
            reading = select(FINISHED.c.id, FINISHED.c.state).where(FINISHED.c.id.in_(left))
            ended = {id_: JobState(state) for id_, state in await connection.execute(reading)}
            over |= ended
            left -= set(ended)
            if not left:
                break
        else:
            raise JobNotFound(min(left))
    return over


def _verdict(node: Node, over: Mapping[UUID, JobState]) -> tuple[Verdict | None, UUID | None]:
    """Return what has been decided by the finished jobs, and by which if it is doomed."""
    ended = [id_ for id_ in node.after if id_ in over]
    bad = [id_ for id_ in ended if over[id_] is not JobState.COMPLETED]
    if not node.after:
        return Verdict.RUN, None
    if bad and node.when == "succeeded":
        return Verdict.CANCEL, bad[0]
    if bad and node.when == "failed":
        return Verdict.RUN, None
    if len(ended) < len(node.after):
        return None, None
    return (Verdict.CANCEL, ended[-1]) if node.when == "failed" else (Verdict.RUN, None)


def _placed(
    job: NewJob, verdicts: Mapping[UUID, Verdict | None], before: Collection[UUID]
) -> NewJob:
    if job.node is None:
        return job
    is_awaited = job.node.workflow_id is not None or job.id in before
    is_on_hold = verdicts[job.id] is not Verdict.RUN
    return replace(job, node=replace(job.node, is_on_hold=is_on_hold, is_awaited=is_awaited))


async def _insert_conditions(
    connection: AsyncConnection,
    nodes: Mapping[UUID, Node],
    over: Mapping[UUID, JobState],
    verdicts: Mapping[UUID, Verdict | None],
) -> None:
    waiting = {id_: node for id_, node in nodes.items() if node.after}
    if not waiting:
        return
    conditions = [
        {
            "job_id": id_,
            "run_when": node.when,
            "unfinished": sum(each not in over for each in node.after),
            "verdict": verdicts[id_],
        }
        for id_, node in waiting.items()
    ]
    dependencies = [
        {"job_id": id_, "position": position, "after_id": after}
        for id_, node in waiting.items()
        for position, after in enumerate(node.after)
    ]
    await connection.execute(insert(CONDITIONS), conditions)
    await connection.execute(insert(DEPENDENCIES), dependencies)


async def _refuse_known_ids(connection: AsyncConnection, jobs: Sequence[NewJob]) -> None:
    named = [
        job.id
        for job in jobs
        if job.node is not None and job.node.is_named and job.node.workflow_id is not None
    ]
    if len(set(named)) < len(named):
        raise InvalidWorkflow("Two jobs of the workflow have the same job_id; give each its own.")
    for some in in_batches(named):
        for table in (JOBS, FINISHED):
            reading = select(table.c.id).where(table.c.id.in_(some)).limit(1)
            if found := (await connection.execute(reading)).scalar_one_or_none():
                msg = f"A job has the id {found} already, and nothing of the workflow is stored: "
                raise InvalidWorkflow(f"{msg}give each job an id of modhost.new_id().")


def _refuse_taken_keys(jobs: Sequence[NewJob], ids: Sequence[UUID]) -> None:
    for job, id_ in zip(jobs, ids, strict=True):
        if id_ != job.id and job.node is not None and job.node.workflow_id is not None:
            msg = f"The job {id_} has the unique key of a {job.job_type} of the workflow, "
            raise InvalidWorkflow(f"{msg}which is not stored: let that one finish, or cancel it.")
