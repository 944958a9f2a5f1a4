"""The simulation notices a queue that breaks a guarantee, within 200 seeds.

Every change of what workers ask the database for makes other histories of the seeds, so that no
one seed is relied on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

import pytest

from simulation.links.databases import Backend, open_backend
from simulation.storm import Storm
from simulation.virtual_time import VirtualClock
from simulation.workers import broken, broken_firing
from simulation.workers.invariants import violations
from simulation.world import World, open_world
from sweeps import swept

SEEDS: Final = 200


class Silence(Storm):
    """Workers that are heard of again about when they are taken for dead."""

    pause_seconds = 1.5

    def __init__(self, world: World, backend: Backend, clock: VirtualClock, seed: int) -> None:
        super().__init__(world, backend, clock, seed)
        self.rate = 0.02
        self._acts = {self._enqueue: 5, self._cut: 3, self._wake: 3}


VARIANTS: Final = swept(
    [
        (Storm, broken.acknowledged_anyway, "nothing is lost"),
        (Storm, broken.claims_not_searched, "nothing is lost"),
        (Storm, broken.outages_given_up, "nothing is lost"),
        (Silence, broken.buried_as_seen, "only the silent are taken for dead"),
        (Storm, broken.dead_by_the_clock, "only the silent are taken for dead"),
        (Silence, broken.begun_in_silence, "the silent begin nothing"),
        (Storm, broken.ended_without_fence, "nobody else ends an attempt"),
        (Storm, broken.rescues_that_spend, "rescues spend no attempt"),
        (Storm, broken.claims_of_any_type, "workers run what they know"),
        (Storm, broken.stop_requests_read_rarely, "requests to stop arrive"),
        (Storm, broken.ends_written_once, "states match what the code did"),
        (Storm, broken.logs_left_behind, "what was logged is stored with the end"),
        (Storm, broken.jobs_kept_at_shutdown, "has left"),
        (Storm, broken_firing.moved_afterwards, "due times fire once"),
    ],
    always=[
        (Storm, broken.acknowledged_anyway, "nothing is lost"),
        (Storm, broken.ends_written_once, "states match what the code did"),
        (Storm, broken_firing.moved_afterwards, "due times fire once"),
    ],
)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("storm", "change", "violated"), VARIANTS)
def test_what_is_done_wrongly_violates_what_is_promised(
    sqlite_url: str,
    storm: type[Storm],
    change: Callable[[], AbstractContextManager[None]],
    violated: str,
) -> None:
    clock, found = VirtualClock(), ""
    with open_world(sqlite_url, clock) as world, open_backend(world) as backend, change():
        for seed in range(SEEDS):
            found = "\n".join(violations(storm(world, backend, clock, seed).run()))
            if violated in found:
                return
    pytest.fail(f"{SEEDS} seeds do not notice it; the last one found: {found}")
