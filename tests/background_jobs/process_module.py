"""Jobs for processes of their own; such a process makes the module anew, without arguments."""

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import anyio
from pydantic import BaseModel, SecretStr
from sqlalchemy import text

from modhost import Module, ModuleOptions, ServiceCollection, hookimpl
from modhost.database import Database
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    Executor,
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    Snooze,
    add_module_job,
)


class ComputingOptions(ModuleOptions):
    folder: Path


class Task(BaseModel):
    """The data of every job here; `first` is what the first attempt does."""

    name: str = "job"
    first: str = ""
    secret: SecretStr = SecretStr("")


class Folder:
    """What jobs leave for the tests to see."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, name: str, content: object) -> None:
        (self._path / f"{name}.part").write_text(str(content))
        (self._path / f"{name}.part").rename(self._path / name)

    def get(self, name: str) -> str | None:
        path = self._path / name
        return path.read_text() if path.exists() else None


class Lease:
    """One for each attempt, closed at its end."""


async def lease(folder: Folder) -> AsyncIterator[Lease]:
    yield Lease()
    folder.put("closed", os.getpid())


class ProcessJob(ModuleJob):
    executor: ClassVar[Executor] = "process"

    def __init__(self, folder: Folder) -> None:
        self.folder = folder


class ComputingJob(ModuleJob):
    """Uses what is injected: the host's database, the queue, and a service of the attempt."""

    executor: ClassVar[Executor] = "process"

    def __init__(self, database: Database, jobs: BackgroundJobs, _: Lease) -> None:
        self.database = database
        self.jobs = jobs

    async def execute(self, context: JobExecutionContext) -> None:
        task = context.get_data(Task)
        context.report_progress(0, "Starting")
        async with self.database.session() as session:
            (one,) = (await session.exec(text("SELECT 1"))).one()  # type: ignore[call-overload]
        for number in range(300):
            context.log(f"line {number}")
        context.log(f"{task.name} {one} in {os.getpid()}, secret {task.secret.get_secret_value()}")
        context.report_progress(101, "Done")
        await self.jobs.enqueue(PrintingJob)


class PrintingJob(ProcessJob):
    """Writes where others would write to the worker."""

    def execute(self, context: JobExecutionContext) -> None:
        print("printed by a job")  # noqa: T201
        print("printed as an error", file=sys.stderr)  # noqa: T201
        subprocess.run(["echo", "printed by a child"], check=True)
        with contextlib.suppress(OSError):
            os.write(1, b"\x00\x00\x00\x02{}")
        context.log(f"in {os.getpid()}")


class WhereJob(ProcessJob):
    async def execute(self, context: JobExecutionContext) -> None:
        context.log(str(os.getpid()))
        context.log("collects garbage" if gc.isenabled() else "keeps garbage")


class LitteringJob(ProcessJob):
    """Leaves a thread behind that continues to report."""

    def execute(self, context: JobExecutionContext) -> None:
        def litter() -> None:
            while self.folder.get("tidy") is None:
                context.log("late")
                context.report_progress(time.monotonic() % 100, "late")
                self.folder.put("littered", os.getpid())

        threading.Thread(target=litter, daemon=True).start()
        context.log(str(os.getpid()))


class MeetingJob(ProcessJob):
    """Computes until it sees that the other one computes too."""

    def execute(self, context: JobExecutionContext) -> None:
        name = context.get_data(Task).name
        self.folder.put(f"met-{name}", os.getpid())
        other = "met-b" if name == "a" else "met-a"
        while self.folder.get(other) is None:
            sum(range(10_000))
        context.log(str(os.getpid()))


class UnresponsiveJob(ProcessJob):
    """Computes forever and never checks whether it should stop."""

    def execute(self, context: JobExecutionContext) -> None:
        context.log("computing")
        self.folder.put("pid", os.getpid())
        while True:
            pass


class UnresponsiveTimeoutJob(UnresponsiveJob):
    timeout: ClassVar[timedelta | None] = timedelta(seconds=0.3)
    max_attempts: ClassVar[int | None] = 1


class UnresponsiveTaskJob(ProcessJob):
    """The same on the event loop of its process, with a child of its own."""

    async def execute(self, context: JobExecutionContext) -> None:
        child = subprocess.Popen(["sleep", "600"])  # noqa: ASYNC220
        self.folder.put("pid", os.getpid())
        self.folder.put("child", child.pid)
        while True:
            pass


class PoliteJob(ProcessJob):
    """Checks the flag, on the event loop of its process, to which it never yields."""

    async def execute(self, context: JobExecutionContext) -> None:
        self.folder.put("pid", os.getpid())
        while not context.cancelled:
            time.sleep(0.005)  # noqa: ASYNC251 - it computes
        context.log("stopping politely")
        context.raise_if_cancelled()


class AwaitingJob(ProcessJob):
    async def execute(self, context: JobExecutionContext) -> None:
        self.folder.put("pid", os.getpid())
        try:
            await anyio.sleep_forever()
        finally:
            context.log("cancelled")


class FailingJob(ProcessJob):
    """Ends its first attempt as its data says, and logs the number of each attempt."""

    no_retry: ClassVar[tuple[type[Exception], ...]] = (KeyError,)

    def execute(self, context: JobExecutionContext) -> None:
        task = context.get_data(Task)
        context.log(f"attempt {context.attempt}")
        if context.attempt > 1 or self.folder.get("failed"):
            return
        self.folder.put("failed", "yes")
        match task.first:
            case "exit":
                os._exit(3)
            case "system exit":
                sys.exit(4)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "segfault":
                ctypes.string_at(0)
            case "raise":
                msg = f"no luck with {task.secret.get_secret_value()}"
                raise ValueError(msg)
            case "permanent":
                raise PermanentJobError("no use")
            case "picky":
                raise KeyError("picky")
            case "snooze":
                raise Snooze(timedelta(milliseconds=20), "busy elsewhere")


JOBS = (
    ComputingJob,
    PrintingJob,
    WhereJob,
    LitteringJob,
    MeetingJob,
    UnresponsiveJob,
    UnresponsiveTimeoutJob,
    UnresponsiveTaskJob,
    PoliteJob,
    AwaitingJob,
    FailingJob,
)


class ComputingModule(Module):
    name: ClassVar[str] = "computing"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    options: ClassVar[type[BaseModel]] = ComputingOptions

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: ComputingOptions) -> None:
        if (options.folder / "broken").exists():
            msg = "broken on purpose"
            raise RuntimeError(msg)
        if (options.folder / "hold").exists():
            Folder(options.folder).put("starting", os.getpid())
            time.sleep(600)
        services.add_instance(Folder, Folder(options.folder))
        services.add_scoped(Lease, lease)
        for job in JOBS:
            add_module_job(services, job)
