"""What both databases are asked for when jobs end that others wait for."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage.workflows.steps import Steps


class Doomed(NamedTuple):
    """A job that can no longer run; `before` is the job whose end has decided that."""

    job_id: UUID
    before: UUID
    run_when: str


class Judged(NamedTuple):
    """The jobs that were ended, and those that can no longer run because of it."""

    ended: list[UUID]
    doomed: list[Doomed]


class Tally(NamedTuple):
    """By how much the counts of a workflow change; `over` are those that have finished now."""

    over: int = 0
    failed: int = 0
    cancelled: int = 0
    stopped: int = 0


class WorkflowStatements(Protocol):
    """The statements of one database, each step within the transaction of its caller.

    Rows are locked in one order: workflows, then jobs, then conditions, each by their ids.
    """

    def lock(self, job_ids: Collection[UUID], *, with_dependents: bool) -> Steps[None]:
        """Lock the workflows of live jobs, and then the jobs: what they await can be read now.

        `with_dependents` locks the workflows of whatever waits for them as well, which may be
        cancelled because of them.
        """

    def lock_workflow(self, workflow_id: UUID) -> Steps[bool]:
        """Lock a workflow; return whether there is one."""

    def end(self, ended: Sequence[Ended], now: datetime) -> Steps[Judged]:
        """End running jobs whose lease holds; release those that may run now, count the ends."""

    def judge(self, ended: Sequence[tuple[UUID, JobState]], now: datetime) -> Steps[list[Doomed]]:
        """Judge what waits for finished jobs; release what may run, return what cannot."""

    def spread(self, doomed: Collection[UUID]) -> Steps[list[Doomed]]:
        """Note which jobs cannot run either, as they run when those before them succeed."""

    def cancel(self, doomed: Sequence[tuple[UUID, str | None]], now: datetime) -> Steps[list[UUID]]:
        """Cancel pending jobs, each for a reason, and count them; return those that were there."""

    def revive(self, again: Collection[UUID], now: datetime) -> Steps[list[UUID]]:
        """Let what waits for jobs that are live again wait on; return what is live again as well.

        Those were cancelled because of them, and wait again, as long as no other job before them
        stands in their way.
        """

    def stop(self, job_ids: Collection[UUID]) -> Steps[None]:
        """Note that somebody has cancelled jobs, which are not to be revived."""

    def count(self, changes: dict[UUID, Tally], now: datetime) -> Steps[None]:
        """Change the counts of workflows, whose outcome is known once all has finished."""

    def notify(self) -> Steps[None]:
        """Wake those who wait for ends, and workers, when the transaction commits."""
