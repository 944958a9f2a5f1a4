"""Steps of workers and sweepers, each compared with the model."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from background_jobs.support import TYPES, add_worker
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import (
    Departure,
    Ended,
    Heartbeat,
    Lease,
    LogLine,
    ProgressUpdate,
    Released,
)
from modhost_background_jobs.model.steps import Checkpoint, SavedStep, StepRow
from moving_clock import MovingClock
from simulation.model_checks.inputs import NIGHTLY, WORKERS, finals, new_job, picks, waits, workers
from simulation.model_checks.model import MAX_RESCUES, Model
from simulation.model_checks.past import Past
from simulation.world import World


class LeaseMachine(RuleBasedStateMachine):
    """The steps; `leases` are all that were ever given out, most of them void by now."""

    world: World
    clock: MovingClock

    def __init__(self) -> None:
        super().__init__()
        self.clock.reset()
        self.world.clear()
        self.model = Model()
        self.leases: list[Lease] = []
        self.seen: list[Heartbeat] = []
        self.lines = 0
        self.past = Past()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def lease(self, pick: int) -> Lease:
        # Of the newest: with old ones, which are all void, nothing happens.
        newest = self.leases[-6:]
        return newest[pick % len(newest)]

    def job(self, pick: int) -> UUID:
        return list(self.model.jobs)[pick % len(self.model.jobs)]

    @initialize()
    def start(self) -> None:
        self.schedule = self.world.do(self.world.changes.put, NIGHTLY)
        for worker in WORKERS:
            self.join(worker)
        self.enqueue(3, 0, 3)
        self.claim("w1", 2)

    @rule(seconds=st.sampled_from([1, 30, 400]), worker=workers)
    def time_passes(self, seconds: int, worker: str) -> None:
        self.clock.advance(seconds)
        self.claim(worker, 1)

    @rule(count=st.integers(1, 3), due=waits, attempts=st.integers(1, 3))
    def enqueue(self, count: int, due: int, attempts: int) -> None:
        jobs = [
            new_job(len(self.model.jobs) + each + (self.lines << 64), self.now, due, attempts)
            for each in range(count)
        ]
        self.lines += 1
        self.world.do(self.world.store.insert, jobs)
        for job in jobs:
            self.model.insert(job)

    def join(self, worker: str) -> None:
        self.world.do(add_worker, self.world.store, worker)
        beats = dict(self.world.do(self.world.store.heartbeats))
        self.model.beats.setdefault(worker, beats[worker])

    @rule(worker=workers, is_there=st.sampled_from([True, True, False]))
    def come_or_go(self, worker: str, is_there: bool) -> None:
        if is_there:
            self.join(worker)
        else:
            self.world.do(self.world.store.unregister, worker, self.now, Departure.STOPPED)
            self.model.beats.pop(worker, None)

    @rule(worker=workers)
    def beat(self, worker: str) -> None:
        is_registered = self.world.do(self.world.store.beat, worker, self.now) is not None
        assert is_registered == (worker in self.model.beats)
        if is_registered:
            self.model.beats[worker] += 1

    @rule(worker=workers, limit=st.integers(1, 4))
    def claim(self, worker: str, limit: int) -> None:
        claimed = self.world.do(self.world.store.claim, worker, TYPES, limit, self.now)
        assert [c.lease.job_id for c in claimed] == self.model.claim(worker, limit, self.now)
        self.leases += [c.lease for c in claimed]

    @precondition(lambda self: self.leases)
    @rule(pick=picks)
    def begin(self, pick: int) -> None:
        """A worker records that a job began that was rescued before."""
        lease = self.lease(pick)
        assert self.world.do(self.world.store.note_begin, lease) == self.model.begin(lease)

    @rule(worker=workers)
    def find_own_jobs(self, worker: str) -> None:
        found = self.world.do(self.world.store.leases, worker)
        assert found == {job.lease: job.is_to_stop for job in self.model.running_on(worker)}

    @precondition(lambda self: self.leases)
    @rule(pick=picks, state=finals)
    def end(self, pick: int, state: JobState) -> None:
        self.end_by(self.lease(pick), state)

    def end_by(self, lease: Lease, state: JobState) -> None:
        error = "failed" if state is JobState.FAILED else None
        held = self.world.do(self.world.store.end, [Ended(lease, state, error)], self.now)
        assert held == ({lease.job_id} if self.model.end(lease, state, self.now) else set())

    @precondition(lambda self: self.leases)
    @rule(pick=picks, wait=st.none() | waits, spent=st.booleans())
    def release(self, pick: int, wait: int | None, spent: bool) -> None:
        lease = self.lease(pick)
        again_at = None if wait is None else self.now + timedelta(seconds=wait)
        released = Released(lease, again_at, "failed" if spent else None, spent=spent)
        held = self.world.do(self.world.store.release, [released], self.now)
        expected = self.model.release(lease, again_at, self.now, spent=spent)
        assert held == ({lease.job_id} if expected else set())

    @precondition(lambda self: self.leases)
    @rule(pick=picks)
    def report(self, pick: int) -> None:
        self.report_by(self.lease(pick))

    def report_by(self, lease: Lease) -> None:
        expected = {lease.job_id} if self.model.held(lease) else set()
        self.lines += 1
        line = LogLine(lease, self.lines, self.now, "line")
        progress = ProgressUpdate(lease, 50, "half", self.now)
        assert self.world.do(self.world.store.save_progress, [progress]) == expected
        assert self.world.do(self.world.store.append_logs, [line], 10) == expected
        self.remember_by(lease)

    def remember_by(self, lease: Lease) -> None:
        """A worker stores a step, of which there is none of that name yet, and a checkpoint."""
        is_held = self.model.held(lease) is not None
        step = StepRow(f"step {self.lines}", self.lines, self.now, self.now, "1")
        saved = self.world.do(self.world.store.save_step, lease, step)
        assert saved == SavedStep(is_held=is_held, is_new=is_held)
        assert (step.name in self.world.do(self.world.store.read_steps, lease.job_id)) == is_held
        reached = Checkpoint(lease, str(self.lines))
        held = self.world.do(self.world.store.save_checkpoints, [reached])
        assert held == ({lease.job_id} if is_held else set())

    @rule()
    def sweeper_reads_heartbeats(self) -> None:
        found = self.world.do(self.world.store.heartbeats)
        unregistered = {
            job.worker: -1
            for job in self.model.jobs.values()
            if job.state is JobState.RUNNING and job.worker not in self.model.beats
        }
        assert dict(found) == self.model.beats | unregistered
        self.seen = sorted(found)

    @rule(worker=workers)
    def sweeper_comes_too_late(self, worker: str) -> None:
        """The worker has sent a heartbeat since the sweeper read them."""
        self.sweeper_reads_heartbeats()
        self.beat(worker)
        for number in range(len(self.seen)):
            if self.seen[number].worker == worker and worker in self.model.beats:
                self.sweeper_rescues(number)

    @rule(worker=workers, replacement=workers)
    def die(self, worker: str, replacement: str) -> None:
        """A worker sends no more heartbeats; its jobs are rescued and claimed by another."""
        self.sweeper_reads_heartbeats()
        for number, (name, _) in enumerate(self.seen):
            if name == worker:
                self.sweeper_rescues(number)
        self.claim(replacement, 4)
        if self.leases:
            self.begin(0)

    @rule(worker=workers, replacement=workers)
    def wake_up(self, worker: str, replacement: str) -> None:
        """A worker that was taken for dead reports and ends what another runs by now."""
        former = [job.lease for job in self.model.running_on(worker)]
        self.die(worker, replacement)
        for lease in former:
            self.report_by(lease)
            self.end_by(lease, JobState.COMPLETED)

    @precondition(lambda self: self.seen)
    @rule(pick=picks)
    def sweeper_rescues(self, pick: int) -> None:
        """By heartbeats that may be old: a worker that has sent one since keeps its jobs."""
        seen = self.seen[pick % len(self.seen)]
        rescued = self.world.do(self.world.store.rescue, seen, MAX_RESCUES, self.now)
        assert {(r.job_id, r.state) for r in rescued} == self.model.rescue(seen, self.now)
