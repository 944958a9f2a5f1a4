"""What holds of jobs that wait for others in every history, by a model of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from modhost_background_jobs.contracts import JobState, WorkflowState
from simulation.flow.replay import Moment, Replay
from simulation.history import Change, short
from simulation.workers.invariants import PEOPLE
from simulation.workflows.graph import Graph, Judgment


class StoredWorkflow(NamedTuple):
    """The row of a workflow at the end."""

    id: UUID
    unfinished: int
    failed: int
    cancelled: int
    outcome: str | None


@dataclass
class Judge:
    """Goes through the commits of a history, and keeps why jobs were cancelled."""

    graph: Graph
    doomed: set[UUID] = field(default_factory=set)
    """Those that could not run any more."""
    stopped: set[UUID] = field(default_factory=set)
    """Those that people have cancelled before their condition held."""
    unclear: set[UUID] = field(default_factory=set)
    """Those that were cancelled by a commit of people, for either reason."""
    rescued: set[UUID] = field(default_factory=set)
    """Those that failed by a rescue, which may be taken back."""

    def violations(self, replay: Replay) -> Iterator[str]:
        """Return a sentence for each violation."""
        for moment in replay.moments():
            for change in moment.changes:
                where = f"{short(change.job)} at {moment.at:.2f}"
                yield from (f"{each}: {where}" for each in self._of_change(change, moment))
            touched = {change.job for change in moment.changes}
            touched |= {after for job in touched for after in self.graph.followers[job]}
            for job in touched & moment.rows.keys() & self.graph.nodes.keys():
                yield from (
                    f"{each}: {short(job)} at {moment.at:.2f}"
                    for each in self._of_commit(job, moment)
                )

    def _of_change(self, change: Change, moment: Moment) -> Iterator[str]:
        before, after, job = change.before, change.after, change.job
        if after is None:
            return
        if change.is_start and before is not None and before.on_hold:
            yield "a job that waits is claimed"
        if before is not None and before.state.is_final and before.state is not after.state:
            yield from self._of_return(change)
        if after.state is JobState.FAILED:
            (self.rescued.add if change.is_rescue else self.rescued.discard)(job)
        if job not in self.graph.nodes:
            return
        judgment = self.graph.judge(job, moment.rows)
        was_waiting = before is None or before.on_hold
        if was_waiting and after.state is JobState.PENDING and not after.on_hold:
            if judgment is not Judgment.HOLDS:
                yield f"a job is released, and its condition is {judgment.name}"
        elif was_waiting and after.state is JobState.CANCELLED:
            by_people = change.by == PEOPLE and self.graph.is_asked(job)
            if judgment is Judgment.IMPOSSIBLE:
                (self.unclear if by_people else self.doomed).add(job)
            else:
                self.stopped.add(job)
                if not by_people:
                    yield f"a job is cancelled, and its condition is {judgment.name}"

    def _of_return(self, change: Change) -> Iterator[str]:
        """Check a job that had finished, and has not any more."""
        before, after, job = change.before, change.after, change.job
        is_pending = after is not None and after.state is JobState.PENDING
        if before is not None and before.state is JobState.CANCELLED:
            is_waiting = is_pending and after is not None and after.on_hold
            if not is_waiting or job not in self.doomed | self.unclear:
                yield "a cancelled job is live again"
            self.doomed.discard(job)
            self.unclear.discard(job)
        elif not is_pending or before is None or before.state is not JobState.FAILED:
            yield "a job that has finished changes"
        elif change.by != PEOPLE and job not in self.rescued:
            yield "a failed job is live again, and nobody has retried it"

    def _of_commit(self, job: UUID, moment: Moment) -> Iterator[str]:
        """Check what holds of a job after a commit."""
        row = moment.rows[job]
        judgment = self.graph.judge(job, moment.rows)
        if row.state is JobState.PENDING and row.on_hold and judgment is not Judgment.OPEN:
            yield f"a job waits, and its condition is {judgment.name}"
        if job in self.doomed and row.state is JobState.CANCELLED:
            runs_after_success = self.graph.nodes[job].when == "succeeded"
            if runs_after_success and judgment is not Judgment.IMPOSSIBLE:
                yield "a job stays cancelled that was cancelled because of a retried one"


def workflow_violations(
    graph: Graph, replay: Replay, stored: list[StoredWorkflow], inconsistent: list[str]
) -> list[str]:
    """Return a sentence for each violated invariant of workflows."""
    judge = Judge(graph)
    return [
        *judge.violations(replay),
        *(f"tables differ: {each}" for each in inconsistent),
        *_of_outcomes(judge, replay, stored),
    ]


def _of_outcomes(judge: Judge, replay: Replay, stored: list[StoredWorkflow]) -> Iterator[str]:
    """Each workflow has the outcome that follows from its jobs."""
    rows = replay.history.rows
    for workflow in stored:
        jobs = [
            job
            for job, node in judge.graph.nodes.items()
            if node.workflow_id == workflow.id and job in rows
        ]
        failed = sum(rows[job].state is JobState.FAILED for job in jobs)
        cancelled = {job for job in jobs if rows[job].state is JobState.CANCELLED}
        counts = (workflow.unfinished, workflow.failed, workflow.cancelled)
        if counts != (0, failed, len(cancelled)):
            yield f"the counts are wrong: {workflow}, and its jobs: {failed}, {len(cancelled)}"
        allowed = {WorkflowState.FAILED if failed else WorkflowState.COMPLETED}
        if not failed and cancelled - judge.doomed:
            allowed = {WorkflowState.CANCELLED}
            if cancelled <= judge.doomed | judge.unclear:
                allowed.add(WorkflowState.COMPLETED)
        if workflow.outcome not in allowed:
            yield f"the outcome is wrong: {workflow}, and not {allowed}"
