"""Stand-ins for threads, processes and other modules in a simulated host."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from modhost_background_jobs.model import CurrentWorker, WorkerInfo
from modhost_background_jobs.storage import JobStore, Wakeups, wait_for
from simulation.history import Beat, History
from simulation.virtual_time import VirtualClock
from simulation.workers.jobs import SimulatedJob, Stage


class FiredWakeups(Wakeups):
    """Wake-ups that the simulation fires."""

    errors = ()

    async def listen(self) -> None:
        await anyio.sleep_forever()


class SimulatedHeartbeat:
    """`HeartbeatThread` without its thread, for which virtual time does not pass."""

    def __init__(
        self,
        worker: WorkerInfo,
        store: JobStore,
        interval: float,
        clock: VirtualClock,
        history: History,
        own: CurrentWorker,
    ) -> None:
        self._own = own
        self._worker = worker
        self._store = store
        self._interval = interval
        self._clock = clock
        self._history = history
        self._is_to_stop = anyio.Event()
        self._task: asyncio.Task[None]

    def start(self) -> None:
        self._task = asyncio.create_task(self._main())

    def hurry(self) -> None:
        pass

    async def stop(self) -> None:
        self._is_to_stop.set()
        await asyncio.wait([self._task], timeout=1)

    async def _main(self) -> None:
        while not self._is_to_stop.is_set():
            try:
                await self._beat()
            except (OSError, TimeoutError):
                await wait_for(self._is_to_stop, self._interval / 5)
            else:
                await wait_for(self._is_to_stop, self._interval)

    async def _beat(self) -> None:
        sent = self._clock.monotonic()
        with anyio.fail_after(2 * self._interval):
            if await self._store.beat(self._worker.name, self._clock.now()):
                beat = Beat(self._worker.name, sent, self._clock.monotonic())
                self._history.beats.append(beat)
                self._own.renew(sent)
            else:
                self._own.lose(self._clock.monotonic())
                await self._store.register(self._worker, self._clock.now())
                beat = Beat(self._worker.name, sent, self._clock.monotonic())
                self._history.beats.append(beat)
                self._own.renew(sent)


class NoProcesses:
    """Stands for `ProcessRunner`: no job here runs in a process of its own."""

    async def run(self) -> None:
        await anyio.sleep_forever()


class Provider:
    """Builds jobs, in scopes that have nothing to close."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @asynccontextmanager
    async def scope(self) -> AsyncIterator["Provider"]:
        yield self

    async def get(self, job: type[SimulatedJob]) -> SimulatedJob:
        return job(self._stage)


class NoSession:
    """Stands for the `Database` of a producer that opens no session."""

    dialect = "sqlite"

    def refuse_other_loops(self) -> None:
        """Do nothing: there is no other loop."""

    def refuse_nested_write(self) -> None:
        """Do nothing: no write is open."""
