"""Steps of processes and people, in any order, each compared with the model."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from modhost_background_jobs.contracts import JobConflict, JobState
from simulation.model_checks.inputs import finals, picks
from simulation.model_checks.lease_machine import LeaseMachine


class QueueMachine(LeaseMachine):
    """One history: beside workers, people change jobs, schedules fire, and retention deletes."""

    @precondition(lambda self: self.model.jobs)
    @rule(pick=picks)
    def cancel(self, pick: int) -> None:
        job_id = self.job(pick)
        expected = self.model.cancel(job_id, self.now)
        try:
            answer = self.world.do(self.world.queue.cancel, job_id)
        except JobConflict:
            answer = None
        assert answer == expected

    @precondition(lambda self: self.model.jobs)
    @rule(pick=picks)
    def retry(self, pick: int) -> None:
        job_id = self.job(pick)
        self.past.excused = {job_id}
        expected = self.model.retry(job_id, self.now)
        try:
            self.world.do(self.world.queue.retry, job_id)
        except JobConflict:
            assert not expected
        else:
            assert expected

    @rule()
    def schedule_fires(self) -> None:
        """Two consumers try; the second finds nothing left to do."""
        self.clock.advance(120)
        row = self.world.do(self.world.schedules.get, self.schedule)
        assert row.next_run_at is not None
        is_due = row.next_run_at <= self.now
        fired = [self.world.do(self.world.firing.fire, self.schedule) for _ in range(2)]
        assert fired == [int(is_due), 0]
        new = sorted(self.world.rows().keys() - self.model.jobs.keys())
        has_missed = row.next_run_at + timedelta(minutes=10) <= self.now
        assert len(new) == is_due + has_missed
        if has_missed:
            self.model.miss(self.schedule, new.pop(0), self.now)
        for job_id in new:
            last_due = (self.world.do(self.world.schedules.get, self.schedule)).last_due_at
            assert last_due is not None
            is_late = self.now - last_due > timedelta(minutes=1)
            self.model.fire(self.schedule, job_id, self.now, self.now if is_late else last_due)

    @rule(age=st.sampled_from([10, 300]), state=finals)
    def prune(self, age: int, state: JobState) -> None:
        before = self.now - timedelta(seconds=age)
        self.past.excused = set(self.model.jobs)
        pruned = self.world.do(self.world.deletion.prune, state, before, 1000)
        assert pruned == self.model.prune(state, before)

    @invariant()
    def the_database_agrees_with_the_model(self) -> None:
        rows = self.world.rows()
        self.past.check(rows)
        assert rows == {job.id: job.compared for job in self.model.jobs.values()}
