"""The database goes away for about the stall timeout, with the default timings."""

from typing import ClassVar

import anyio
import pytest

from simulation.workers.databases import open_backend
from simulation.workers.hosts import OPTIONS
from simulation.workers.invariants import wrongs
from simulation.workers.jobs import Plan
from simulation.workers.story import Story
from simulation.workers.virtual_time import VirtualClock
from simulation.world import open_world

STALL_SECONDS = OPTIONS.stall_timeout.total_seconds()
PHASES = (0, 1.3, 2.6, 3.9)
BEFORE = 13.0
"""How long all is well first: workers have beaten, and looked at each other."""


class Outage(Story):
    """All workers are busy when the database goes away, and people enqueue all the while."""

    seconds: ClassVar[float]
    phase: ClassVar[float]
    """Where between two looks and two beats it begins and ends."""

    async def happen(self) -> None:
        await self._enqueue(6, 60)
        await anyio.sleep(BEFORE + self.phase)
        self.server.is_down = True
        for _ in range(3):
            await self._enqueue(1, 1)
            await anyio.sleep(self.seconds / 3)
        self.server.is_down = False
        await self._enqueue(6, 1)
        await anyio.sleep(2 * STALL_SECONDS)

    async def _enqueue(self, jobs: int, seconds: float) -> None:
        await self.enqueue([self.new_job(Plan(seconds=seconds)) for _ in range(jobs)])


@pytest.mark.parametrize("beyond", [-0.1, 0.1])
def test_an_outage_of_about_the_stall_timeout_costs_no_worker_its_jobs_and_runs_none_twice(
    sqlite_url: str, beyond: float
) -> None:
    clock = VirtualClock()
    with open_world(sqlite_url, clock) as world, open_backend(world) as backend:
        for phase in PHASES:
            timing = {"seconds": STALL_SECONDS + beyond, "phase": phase}
            history = type("Timed", (Outage,), timing)(world, backend, clock, seed=1).run()
            assert wrongs(history) == []
            assert not [change for change in history.changes if change.is_rescue]
            assert sorted(lease.job_id for lease in history.attempts) == sorted(history.rows)
            assert len(history.acknowledged) == 12
