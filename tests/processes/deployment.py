"""A database, the processes that share it, and a producer in the process of the test."""

import os
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
from anyio import to_thread
from sqlalchemy import text

from hosts import HostedJobs, host_with
from modhost import Module
from modhost.database import Database
from modhost_background_jobs.contracts import (
    JobDetail,
    JobFilter,
    JobId,
    JobState,
    ModuleJob,
)
from modhost_background_jobs.storage import open_store
from processes.acting import ActingModule
from processes.forking import CLOCK_AHEAD, NETWORK
from processes.host_process import POLL_SECONDS, HostProcess, until
from processes.stage import Act, Stage

TESTS = Path(__file__).parents[1]

QUICK = {
    "heartbeat_interval": "200ms",
    "stall_timeout": "1s",
    "stall_sweep_interval": "200ms",
    "retry_base_delay": "50ms",
    "progress_flush_interval": "100ms",
    "max_concurrency": "4",
}
"""A dead worker is found within a second or two; not for tests in which a living one must not be
taken for dead on a machine that stutters."""


@dataclass(frozen=True)
class Mark:
    """An action of a job, and its process."""

    event: str
    name: str
    process: int


class Deployment:
    """A producer and processes that share one database."""

    def __init__(
        self, folder: Path, database_url: str, module: type[Module] = ActingModule
    ) -> None:
        self.folder = folder
        self.stage = Stage(folder)
        self._database_url = database_url
        self._module = module
        self._processes: list[HostProcess] = []
        self.jobs: HostedJobs
        """What tests ask of the producer."""
        self.database: Database
        """The producer's."""
        folder.mkdir(exist_ok=True)
        _install(module, folder / "installed")

    @asynccontextmanager
    async def producing(self) -> AsyncIterator["Deployment"]:
        """Open the producer, and kill all processes at the end."""
        options: dict[str, Any] = {self._module.name: {"folder": self.folder}}
        try:
            async with host_with(self._database_url, self._module(), **options) as jobs:
                self.jobs = jobs
                async with jobs.host.scope() as scope:
                    self.database = await scope.get(Database)
                yield self
        finally:
            self.kill_all()

    def kill_all(self) -> None:
        for process in self._processes:
            process.kill()

    def start(
        self, *command: str, ahead: str = "0", network: str = "", **options: str
    ) -> HostProcess:
        """Start a process, by default a worker, with options as `environment` takes them.

        Its clock is `ahead` by seconds. `network` is the file of the network namespace that it is
        in.
        """
        own = {CLOCK_AHEAD: ahead, NETWORK: network}
        log = self.folder / f"process-{len(self._processes)}.log"
        process = HostProcess(self.words(*command), self.environment(**options) | own, log)
        self._processes.append(process)
        return process

    def words(self, *command: str) -> list[str]:
        """Return what follows `modhost` on the command line, by default of a worker."""
        config = self.folder / "host.toml"
        config.touch()
        return ["--config", str(config), *(command or ("worker",))]

    def environment(self, **options: str) -> dict[str, str]:
        """Return the environment of a process with options of background jobs.

        Others are written with their section: `host__bind`, `modules__acting__folder`.
        """
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(self.folder / "installed"), str(TESTS)]),
            "MODHOST__HOST__BIND": "127.0.0.1:0",
            "MODHOST__HOST__DATABASE_URL": self._database_url,
            "MODHOST__HOST__ENVIRONMENT": "development",
            "MODHOST__HOST__MODULES__DISABLED": '["reports_example"]',
            f"MODHOST__MODULES__{self._module.name.upper()}__FOLDER": str(self.folder),
        }
        for name, value in options.items():
            has_section = name.startswith(("host__", "modules__"))
            section = "" if has_section else "MODULES__BACKGROUND_JOBS__"
            environment[f"MODHOST__{section}{name.upper()}"] = value
        return environment

    async def ready(self, *processes: HostProcess) -> None:
        for process in processes:
            await process.ready()

    async def suspend(self, process: HostProcess) -> None:
        """Suspend a process at a moment when it does not block the database for all others."""
        process.signal(signal.SIGSTOP)
        with anyio.fail_after(60):
            while not await self._is_writable():
                process.signal(signal.SIGCONT)
                await anyio.sleep(POLL_SECONDS)
                process.signal(signal.SIGSTOP)

    async def _is_writable(self) -> bool:
        """Return whether transactions of others end within a second."""
        if self.database.dialect == "sqlite":
            path = self._database_url.removeprefix("sqlite:///")
            return await to_thread.run_sync(_is_file_writable, path)
        with anyio.move_on_after(1):
            async with self.database.reading() as session:
                connection = await session.connection()
                while await connection.scalar(_IDLE_IN_TRANSACTIONS):
                    await anyio.sleep(POLL_SECONDS)
                return True
        return False

    async def take_for_dead(self, process: HostProcess, max_rescues: int = 3) -> None:
        """Take the jobs of a worker that is dead, suspended or cut off, before any sweeper does."""
        store = open_store(self.database)

        def is_of_process(worker: str) -> bool:
            return f"-{process.pid}-" in worker

        while seen := [each for each in await store.heartbeats() if is_of_process(each.worker)]:
            for each in seen:
                await store.rescue(each, max_rescues, datetime.now(UTC))

    async def enqueue(self, job: type[ModuleJob], act: Act, **options: Any) -> UUID:
        return await self.jobs.scheduling.enqueue(job, act, **options)

    async def enqueue_many(self, job: type[ModuleJob], acts: list[Act]) -> list[JobId]:
        return await self.jobs.scheduling.enqueue_many(job, acts)

    async def cancel(self, job_id: UUID) -> None:
        await self.jobs.scheduling.cancel(JobId(job_id))

    async def detail(self, job_id: UUID) -> JobDetail:
        return await self.jobs.detail(job_id)

    async def ends(self, job_id: UUID, seconds: float = 60) -> JobDetail:
        """Wait until a job has finished, and return it."""
        return await self.jobs.ends(job_id, seconds)

    async def count(self, state: JobState) -> int:
        return (await self.jobs.querying.get_jobs(JobFilter(state=state, page_size=1))).total_count

    async def all_completed(self, jobs: int, seconds: float = 60) -> None:
        """Wait until so many jobs are `Completed`, and check that there is no other."""
        await self.all_ended({JobState.COMPLETED: jobs}, seconds)

    async def all_ended(self, ended: dict[JobState, int], seconds: float = 60) -> None:
        """Wait until so many jobs have these final states, and check that there are no others."""
        with anyio.move_on_after(seconds):
            for state, jobs in ended.items():
                while await self.count(state) < jobs:
                    await anyio.sleep(POLL_SECONDS)
        counts = {state: await self.count(state) for state in JobState}
        assert counts == dict.fromkeys(JobState, 0) | ended

    def marks(self, event: str, name: str | None = None) -> list[Mark]:
        """Return what the jobs did so far."""
        if not self.stage.marks.exists():
            return []
        # A process that is killed may leave its last line unfinished.
        lines = self.stage.marks.read_text().split("\n")[:-1]
        found = (Mark(each[0], each[1], int(each[2])) for each in map(str.split, lines))
        return [each for each in found if each.event == event and name in (None, each.name)]

    async def marked(
        self, event: str, name: str | None = None, times: int = 1, seconds: float = 60
    ) -> list[Mark]:
        """Wait until jobs have left so many marks, and return them."""
        what = f"{times} marks of {name or 'any job'} {event}"
        try:
            await until(lambda: len(self.marks(event, name)) >= times, what, seconds)
        except AssertionError as error:
            error.add_note("\n".join(each.log for each in self._processes))
            raise
        return self.marks(event, name)


_IDLE_IN_TRANSACTIONS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()"
)


def _is_file_writable(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True


def _install(module: type[Module], folder: Path) -> None:
    """Make a module of the tests one that is installed, for processes that look there."""
    name = module.name
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[modhost.modules]\n{name} = {module.__module__}:{module.__qualname__}\n"
    )
