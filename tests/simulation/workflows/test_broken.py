"""The simulation notices ends that are done wrongly, within 200 seeds.

Each variant begins with a seed that noticed it; the next ones are tried too, since every change of
what workers ask the database for makes other histories of the seeds.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final
from uuid import UUID

import pytest

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import Lease
from simulation.links.databases import Backend, open_backend
from simulation.virtual_time import VirtualClock
from simulation.workflows import broken
from simulation.workflows.storm import WorkflowStorm
from simulation.workflows.trial import found_in
from simulation.world import World, open_world
from sweeps import swept

SEEDS: Final = 200


class Leaves(WorkflowStorm):
    """Half a minute in which jobs that nothing waits for are continued while they end."""

    seconds = 30.0
    pause_seconds = 0.1
    shapes = ((1,), (2,))
    long_share = 0.0

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        super().__init__(world, backend, clock, seed)
        self.rate = 0.25
        self._acts = {self._start_workflow: 5, self._continue: 12, self._wake: 6}

    def _some_jobs(self, most: int) -> list[UUID]:
        rows, attempts = self.history.rows, self.history.attempts
        running = [job for job in self.jobs if job in rows and rows[job].state is JobState.RUNNING]
        leases = {job: Lease(job, rows[job].fence) for job in running}
        ending = [job for job in running if leases[job] in attempts and attempts[leases[job]].how]
        return self.random.sample(ending, 1) if ending else []


@pytest.mark.parametrize(
    ("storm", "change", "seed", "violated"),
    [
        (WorkflowStorm, broken.released_afterwards, 0, "a job waits, and its condition is HOLDS"),
        *swept(
            [
                (Leaves, broken.read_before, 0, "a job waits, and its condition is"),
                (
                    WorkflowStorm,
                    broken.counted_twice,
                    1,
                    "a job is released, and its condition is OPEN",
                ),
                (WorkflowStorm, broken.revived_uncounted, 1, "tables differ"),
            ],
            always=[],
        ),
    ],
)
def test_what_is_done_wrongly_violates_what_is_promised(
    sqlite_url: str,
    storm: type[WorkflowStorm],
    change: Callable[[], AbstractContextManager[None]],
    seed: int,
    violated: str,
) -> None:
    clock, found = VirtualClock(), ""
    with open_world(sqlite_url, clock) as world, open_backend(world) as backend, change():
        for each in (*range(seed, SEEDS), *range(seed)):
            found += f"{each}: " + "\n".join(found_in(storm(world, backend, clock, each)))
            if violated in found:
                break
    assert violated in found
