"""An outage of about the stall timeout, with the default timings."""

from typing import ClassVar

import anyio
import pytest

from simulation.links.databases import open_backend
from simulation.virtual_time import VirtualClock
from simulation.workers.hosts import OPTIONS
from simulation.workers.invariants import violations
from simulation.workers.jobs import Plan
from simulation.workers.scenario import Scenario
from simulation.world import open_world

STALL_SECONDS = OPTIONS.stall_timeout.total_seconds()
PHASES = (0, 1.3, 2.6, 3.9)
BEFORE = 13.0
"""Seconds before the outage, in which workers send and check heartbeats."""


class Outage(Scenario):
    """All workers are busy when the database goes away, and people continue to enqueue."""

    seconds: ClassVar[float]
    phase: ClassVar[float]
    """Its start and end, relative to the heartbeats and the sweeps."""

    async def play(self) -> None:
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
            assert violations(history) == []
            assert not [change for change in history.changes if change.is_rescue]
            assert sorted(lease.job_id for lease in history.attempts) == sorted(history.rows)
            assert len(history.acknowledged) == 12
