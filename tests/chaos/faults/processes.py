"""What happens to processes: they are killed, suspended, stopped, cut off, and wrong in time."""

import signal
from collections.abc import Sequence
from typing import Final

import anyio

from chaos.faults.fault import SERVERS, Fault, has_network
from chaos.scene import Scene

LONG_SECONDS: Final = 10.0
"""Longer than the stall timeout."""
BRIEF_SECONDS: Final = 2.0
"""Shorter than the silence after which jobs are taken from a worker."""
WRONG_SECONDS: Final = 8.0
WRONG_BY: Final = (3600.0, -3600.0, 30.0, -30.0)
SET_BY: Final = (20.0, -20.0)
"""Jobs that come meanwhile are due that much later or earlier, as long as the clock was wrong."""


async def kill_worker(scene: Scene) -> None:
    victim = scene.victim()
    scene.kill(victim)
    await scene.replace(victim)


async def kill_supervised(scene: Scene) -> None:
    scene.kill_supervised()


async def kill_producer(scene: Scene) -> None:
    victim = scene.producers.pop()
    scene.kill(victim)
    scene.producers.append(await scene.start_producer().ready())


async def stop_worker(scene: Scene) -> None:
    victim = scene.victim()
    with scene.ledger.span("impaired", pids=[victim.pid], how="stopping"):
        victim.signal(signal.SIGTERM)
        await victim.exit_code()
    await scene.replace(victim)


async def suspend_worker(scene: Scene) -> None:
    victim = scene.random.choice(scene.workers)
    with scene.ledger.span("impaired", pids=[victim.pid], how="suspended"):
        # On SQLite a process that is suspended in a transaction holds up all others, as it must.
        if scene.served.kind == "sqlite":
            await scene.deployment.suspend(victim)
        else:
            victim.signal(signal.SIGSTOP)
        await anyio.sleep(LONG_SECONDS)
        victim.signal(signal.SIGCONT)


async def suspend_briefly(scene: Scene) -> None:
    victim = scene.random.choice(scene.workers)
    victim.signal(signal.SIGSTOP)
    await anyio.sleep(BRIEF_SECONDS)
    victim.signal(signal.SIGCONT)


async def cut_off(scene: Scene) -> None:
    assert scene.far is not None
    assert scene.served.network is not None
    with scene.ledger.span("impaired", pids=[scene.far.pid], how="cut off"):
        with scene.served.network.cut():
            await anyio.sleep(LONG_SECONDS)


async def move_clock(scene: Scene) -> None:
    await _move_clocks(scene, [scene.random.choice(scene.workers).pid], WRONG_BY)


async def move_all_clocks(scene: Scene) -> None:
    """Set the clock of the one machine that all processes share."""
    producers = [each.pid for each in scene.producers]
    await _move_clocks(scene, [*producers, *scene.consumers()], SET_BY)


async def _move_clocks(scene: Scene, pids: list[int], by: Sequence[float]) -> None:
    ahead = scene.random.choice(by)
    with scene.ledger.span("clock", pids=pids, ahead=ahead):
        for seconds in (ahead, 0.0):
            for pid in pids:
                scene.orders.give(pid, ahead=seconds)
            await anyio.sleep(WRONG_SECONDS if seconds else 0.5)


async def exhaust_pool(scene: Scene) -> None:
    for process in (scene.producers[0], scene.random.choice(scene.workers)):
        scene.orders.give(process.pid, hold=5.0)
    await anyio.sleep(5.5)


FAULTS: Final = (
    Fault("a worker killed", kill_worker),
    Fault("a supervised worker killed", kill_supervised),
    Fault("a producing web host killed", kill_producer),
    Fault("a worker stopped in order", stop_worker),
    Fault("a worker suspended beyond its lease", suspend_worker),
    Fault("a worker suspended for 2 s", suspend_briefly),
    Fault("a host cut off without a word", cut_off, SERVERS, has_network),
    Fault("the clock of a worker moved for 8 s", move_clock, SERVERS),
    Fault("the clock of the machine set, and set back", move_all_clocks, ("sqlite",)),
    Fault("the pools of a host and a worker exhausted", exhaust_pool),
)
