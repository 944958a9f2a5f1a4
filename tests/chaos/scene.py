"""The processes of a trial: producers that serve the web, workers of all kinds, and their ends."""

import os
import random
import re
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaos.databases.opening import url_from
from chaos.databases.served import Served
from chaos.ledger import Ledger
from chaos.load.controls import Orders
from chaos.load.module import ChaosModule
from processes.deployment import Deployment
from processes.host_process import HostProcess

SILENCE_SECONDS: Final = 5.0
"""How long a worker is silent at least before its jobs go to others."""
OPTIONS: Final = {
    "heartbeat_interval": "1s",
    "stall_timeout": "6s",
    "stall_sweep_interval": "1s",
    "retry_base_delay": "50ms",
    "shutdown_grace": "5s",
    "max_rescues": "100",
}
"""No job is given up because its workers were killed."""


@dataclass(frozen=True)
class Size:
    """How many processes of which kind there are, and how many jobs each worker runs at a time."""

    producers: int = 2
    workers: int = 2
    supervised: int = 2
    slots: int = 3

    @property
    def all_slots(self) -> int:
        """How many jobs run at a time, but for those of a worker in a network of its own."""
        return self.slots * (self.workers + self.supervised)


class Scene:
    """The processes over one database, and who does something to them."""

    def __init__(self, folder: Path, served: Served, size: Size, seed: int) -> None:
        self.deployment = Deployment(folder, served.url, ChaosModule)
        self.folder = folder
        self.served = served
        self.size = size
        self.random = random.Random(seed)  # noqa: S311 - it has to be repeatable
        self.ledger = Ledger(folder / "ledger")
        self.orders = Orders(folder / "orders")
        self.producers: list[HostProcess] = []
        self.workers: list[HostProcess] = []
        """The first of them is never killed, to see what it gains."""
        self.supervisor: HostProcess | None = None
        self.far: HostProcess | None = None
        """A worker in a network of its own."""
        self.all: list[HostProcess] = []

    async def open(self) -> None:
        """Start all processes."""
        self.producers = [self.start_producer() for _ in range(self.size.producers)]
        self.workers = [self.start_worker() for _ in range(self.size.workers)]
        if self.size.supervised:
            words = ("worker", "--processes", f"{self.size.supervised}")
            self.supervisor = self._start(*words, host__app_version="1")
        if self.served.network is not None:
            url = url_from(self.served)
            network = f"{self.served.network.path}"
            self.far = self.start_worker(network=network, host__database_url=url)
        await self.deployment.ready(*self.producers, *self.workers)
        if self.far is not None:
            await self.far.ready()
        if self.supervisor is not None:
            await self.supervisor.logs(r"Worker \S+ runs", times=self.size.supervised)

    def start_producer(self) -> HostProcess:
        """Start a web host that enqueues jobs."""
        return self._start("run", modules__chaos__produces="true", host__app_version="1")

    def start_worker(self, **options: str) -> HostProcess:
        """Start a worker of either version of the application."""
        return self._start("worker", host__app_version=f"{self.random.choice((1, 2))}", **options)

    def _start(self, *words: str, **options: str) -> HostProcess:
        slots = f"{self.size.slots}"
        process = self.deployment.start(*words, **OPTIONS, max_concurrency=slots, **options)
        self.all.append(process)
        return process

    def supervised(self) -> list[int]:
        """Return the living workers of the supervisor."""
        if self.supervisor is None:
            return []
        started = re.findall(r"Worker \S+?-(\d+)-\w+ runs", self.supervisor.log)
        return [int(pid) for pid in started if Path("/proc", pid).exists()]

    def consumers(self) -> list[int]:
        """Return all processes that run jobs."""
        near = [worker.pid for worker in self.workers]
        return near + self.supervised() + ([self.far.pid] if self.far else [])

    def victim(self) -> HostProcess:
        """Return a worker that may be ended."""
        return self.random.choice(self.workers[1:])

    def kill(self, process: HostProcess) -> None:
        """Kill a process, and note when it was dead."""
        process.kill()
        self.ledger.note("died", process=process.pid)

    async def replace(self, worker: HostProcess) -> None:
        """Start another worker in the place of one that has ended, as a service manager does."""
        self.workers.remove(worker)
        self.workers.append(await self.start_worker().ready())

    def kill_supervised(self) -> None:
        """Kill one worker of the supervisor, who replaces it."""
        pid = self.random.choice(self.supervised())
        os.kill(pid, signal.SIGKILL)
        self.ledger.note("died", process=pid)

    def long_lived(self) -> dict[str, int]:
        """Return the processes that last as long as the trial, with what they are."""
        found = {"a producer": self.producers[0].pid, "a worker": self.workers[0].pid}
        if self.supervisor is not None:
            found["the supervisor"] = self.supervisor.pid
        return found
