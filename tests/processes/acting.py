"""A module with jobs of all kinds, which real processes find through an entry point."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import ClassVar

import anyio
import anyio.lowlevel
from pydantic import BaseModel
from sqlalchemy import text

from modhost import Module, ModuleOptions, Scope, ServiceCollection, hookimpl
from modhost.database import Database
from modhost_background_jobs.contracts import (
    Executor,
    JobExecutionContext,
    add_module_job,
)
from processes.faults.forking_jobs import ForkingApartJob, ForkingJob, ParentJob
from processes.signals.program_jobs import PROGRAM_JOBS
from processes.stage import STEP_SECONDS, Act, ActingJob, Stage


class ActingOptions(ModuleOptions):
    folder: Path


class QuickJob(ActingJob):
    """Does next to nothing."""

    async def execute(self, context: JobExecutionContext) -> None:
        self.stage.mark("started", context.get_data(Act))


class NappingJob(ActingJob):
    """Takes its time, and yields."""

    async def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        self.stage.mark("started", act)
        context.log("napping")
        await anyio.sleep(act.seconds)
        self.stage.mark("finished", act)


class SpinningJob(ActingJob):
    """Computes on the event loop without ever yielding."""

    async def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        self.stage.mark("started", act)
        until = time.monotonic() + act.seconds
        while time.monotonic() < until:
            sum(range(1000))
        self.stage.mark("finished", act)


class GatedJob(ActingJob):
    """Waits for its gate, and reports that continuously."""

    async def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        self.stage.mark("started", act)
        try:
            waited = 0
            while not self.stage.is_open(act.name):
                context.log(f"waiting in {os.getpid()}")
                context.report_progress(min(99, waited), f"in {os.getpid()}")
                waited += 1
                await anyio.sleep(STEP_SECONDS)
        except anyio.get_cancelled_exc_class():
            self.stage.mark("stopped", act)
            raise
        self.stage.mark("finished", act)


class BlockingJob(ActingJob):
    """Waits for its gate, and blocks the event loop meanwhile."""

    async def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        self.stage.mark("started", act)
        while not self.stage.is_open(act.name):
            time.sleep(STEP_SECONDS)  # noqa: ASYNC251 - this job is badly written on purpose
        self.stage.mark("finished", act)


class UnresponsiveJob(ActingJob):
    """Runs in a thread and never checks whether it should stop."""

    def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        self.stage.mark("started", act)
        time.sleep(act.seconds)


class SuspendedJob(ActingJob):
    """Has its process suspended, and gives the event loop its turn a moment after that."""

    async def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        wake = f"sleep {act.seconds}; kill -CONT {os.getpid()}"
        with subprocess.Popen(["/bin/sh", "-c", wake]):  # noqa: ASYNC220
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.2)  # noqa: ASYNC251 - as long as a busy machine may let it wait


class ApartJob(ActingJob):
    """Computes in a process of its own until its gate is open, and ignores everything else."""

    executor: ClassVar[Executor] = "process"

    def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        context.log(f"computing in {os.getpid()}")
        self.stage.mark("started", act)
        while not self.stage.is_open(act.name):
            # One call that holds Python's lock for long: no other thread of the process runs.
            sum(range(5_000_000))
        self.stage.mark("finished", act)


class StuckJob(ActingJob):
    """Starts a program, and never gives Python's lock back."""

    executor: ClassVar[Executor] = "process"

    def execute(self, context: JobExecutionContext) -> None:
        program = subprocess.Popen(["sleep", "600"])
        self.stage.mark("program", Act(name=str(program.pid)))
        self.stage.mark("started", context.get_data(Act))
        re.fullmatch(r"(a+)+b", "a" * 100)


class LethalJob(ActingJob):
    """Takes its process down, as running out of memory does."""

    async def execute(self, context: JobExecutionContext) -> None:
        self.stage.mark("started", context.get_data(Act))
        os.kill(os.getpid(), signal.SIGKILL)


class FlakyJob(ActingJob):
    """Logs at length, waits while a test holds it, and fails a few times first."""

    async def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        self.stage.mark("started", act)
        for number in range(act.lines):
            context.log(f"attempt {context.attempt} line {number} {'x' * 400}")
            context.report_progress(100 * number / act.lines)
        await anyio.sleep(STEP_SECONDS)
        while self.stage.is_held(act.name):
            await anyio.sleep(STEP_SECONDS)
        if context.attempt <= act.failures:
            msg = f"failure {context.attempt}"
            raise ValueError(msg)
        self.stage.mark("finished", act)


class CountingJob(ActingJob):
    """Counts in the database."""

    def __init__(self, stage: Stage, database: Database) -> None:
        super().__init__(stage)
        self.database = database

    async def execute(self, context: JobExecutionContext) -> None:
        self.stage.mark("started", context.get_data(Act))
        await count_one(self.database)


async def count_one(database: Database) -> None:
    """Read the number in the table `counter`, take a moment, and write the next one."""
    async with database.session() as session:
        connection = await session.connection()
        counted: int = (await connection.execute(text("SELECT value FROM counter"))).scalar_one()
        await anyio.lowlevel.checkpoint()
        update = text("UPDATE counter SET value = :value")
        await connection.execute(update, {"value": counted + 1})


JOBS = (
    QuickJob,
    NappingJob,
    SpinningJob,
    GatedJob,
    BlockingJob,
    UnresponsiveJob,
    SuspendedJob,
    ApartJob,
    StuckJob,
    ForkingJob,
    ForkingApartJob,
    ParentJob,
    LethalJob,
    FlakyJob,
    CountingJob,
    *PROGRAM_JOBS,
)


class ActingModule(Module):
    name: ClassVar[str] = "acting"
    version: ClassVar[str] = "1.0"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    options: ClassVar[type[BaseModel]] = ActingOptions

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: ActingOptions) -> None:
        services.add_instance(Stage, Stage(options.folder))
        for job in JOBS:
            add_module_job(services, job)

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        """Write, as modules do that seed something; wait as long as a test wants it."""
        async with (await scope.get(Database)).session() as session:
            await (await session.connection()).execute(text("SELECT 1"))
        stage = await scope.get(Stage)
        while stage.is_held("start"):
            await anyio.sleep(STEP_SECONDS)
        if stage.is_held("event-loop"):
            stage.mark("blocking", Act())
        while stage.is_held("event-loop"):
            time.sleep(STEP_SECONDS)  # noqa: ASYNC251 - this hook is badly written on purpose
