"""End jobs that others wait for: release what may run, cancel what no longer can."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.model.workflow import doomed_reason
from modhost_background_jobs.storage.workflows.rules import Doomed, Tally, WorkflowStatements
from modhost_background_jobs.storage.workflows.steps import Steps


class Ends(NamedTuple):
    """The jobs whose lease still held, and so were ended, and those cancelled because of them."""

    held: set[UUID]
    cancelled: list[UUID]


def end_jobs(statements: WorkflowStatements, ended: Sequence[Ended], now: datetime) -> Steps[Ends]:
    """End running jobs, with all that follows."""
    may_cancel = any(each.state is not JobState.COMPLETED for each in ended)
    jobs = [each.lease.job_id for each in ended]
    yield from statements.lock(jobs, with_dependents=may_cancel)
    judged = yield from statements.end(ended, now)
    failed = {each.lease.job_id for each in ended if each.state is JobState.FAILED}
    cancelled = yield from cancel_doomed(statements, judged.doomed, failed, now)
    if judged.ended:
        yield from statements.notify()
    return Ends(set(judged.ended), cancelled)


def follow_cancelled(
    statements: WorkflowStatements, cancelled: Sequence[UUID], now: datetime
) -> Steps[list[UUID]]:
    """Do what follows from the cancellation of pending jobs, whose workflow is locked.

    Returns the jobs that are cancelled because of them.
    """
    over = [(job_id, JobState.CANCELLED) for job_id in cancelled]
    doomed = yield from statements.judge(over, now)
    further = yield from cancel_doomed(statements, doomed, set(), now)
    yield from statements.notify()
    return further


def take_back_ends(
    statements: WorkflowStatements, again: Sequence[tuple[UUID, UUID | None]], now: datetime
) -> Steps[None]:
    """Do what follows when failed jobs, each with its workflow, are live again after all."""
    numbers = Counter(workflow_id for _, workflow_id in again if workflow_id is not None)
    tallies = {id_: Tally(over=-count, failed=-count) for id_, count in numbers.items()}
    if tallies:
        yield from statements.count(tallies, now)
    yield from revive(statements, [job_id for job_id, _ in again], now)


def revive(statements: WorkflowStatements, again: Sequence[UUID], now: datetime) -> Steps[None]:
    """Do what follows when jobs that had failed are live again, whose workflow is locked."""
    while again:
        again = yield from statements.revive(again, now)


def cancel_doomed(
    statements: WorkflowStatements, doomed: Sequence[Doomed], failed: set[UUID], now: datetime
) -> Steps[list[UUID]]:
    """Cancel what can no longer run, and what follows from that, until nothing follows.

    Returns all that is cancelled.
    """
    everybody: list[UUID] = []
    while doomed:
        further = yield from statements.spread([each.job_id for each in doomed])
        everything = [*doomed, *further]
        reasons = _reasons(everything, failed)
        cancelled = yield from statements.cancel(list(reasons.items()), now)
        everybody += cancelled
        over = [(job_id, JobState.CANCELLED) for job_id in cancelled]
        doomed = yield from statements.judge(over, now)
    return everybody


def _reasons(doomed: Sequence[Doomed], failed: set[UUID]) -> dict[UUID, str | None]:
    """Return why each job is cancelled: the job that began it, not the one just before it."""
    by_id = {each.job_id: each for each in doomed}
    roots: dict[UUID, UUID] = {}
    reasons: dict[UUID, str | None] = {}
    for each in doomed:
        chain = []
        current = each.before
        while current in by_id and current not in roots:
            chain.append(current)
            current = by_id[current].before
        root = roots.get(current, current)
        roots |= dict.fromkeys(chain, root)
        reasons[each.job_id] = doomed_reason(each.run_when, root, has_failed=root in failed)
    return reasons
