"""A module with jobs of every kind, and a probe that records what they did."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import ClassVar

import anyio
from pydantic import BaseModel

from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    Snooze,
    add_module_job,
)


class Probe:
    """What the jobs did, and the gates that hold them."""

    def __init__(self) -> None:
        self.started: Counter[str] = Counter()
        self.finished: Counter[str] = Counter()
        self.stopped: Counter[str] = Counter()
        self.gate = anyio.Event()
        self.thread_gate = threading.Event()

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        with anyio.fail_after(seconds):
            while not condition():
                await anyio.sleep(0.005)


class Work(BaseModel):
    """The data of a job; `failures` is how often it fails before it succeeds."""

    name: str = "job"
    failures: int = 0
    lines: int = 0


class ProbedJob(ModuleJob):
    def __init__(self, probe: Probe) -> None:
        self.probe = probe


class ReportingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        work = context.get_data(Work)
        self.probe.started[work.name] += 1
        context.report_progress(0, "Starting")
        for number in range(work.lines):
            context.log(f"line {number}")
        if self.probe.started[work.name] <= work.failures:
            msg = f"failure {context.attempt}"
            raise ValueError(msg)
        context.report_progress(100, "Done")
        self.probe.finished[work.name] += 1


class WaitingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["waiting"] += 1
        context.log("waiting")
        try:
            await self.probe.gate.wait()
        except BaseException:
            self.probe.stopped["waiting"] += 1
            raise
        self.probe.finished["waiting"] += 1


class QuickTimeoutJob(WaitingJob):
    timeout: ClassVar[timedelta | None] = timedelta(seconds=0.1)
    max_attempts: ClassVar[int | None] = 1


class ThreadJob(ProbedJob):
    def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["thread"] += 1
        context.log(f"in {threading.current_thread().name}")
        while not self.probe.thread_gate.is_set():
            context.raise_if_cancelled()
            time.sleep(0.005)
        self.probe.finished["thread"] += 1


class PermanentlyFailingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["permanent"] += 1
        msg = "no use"
        raise PermanentJobError(msg)


class PickyJob(ProbedJob):
    no_retry: ClassVar[tuple[type[Exception], ...]] = (KeyError,)

    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["picky"] += 1
        raise KeyError(context.attempt)


class SnoozingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["snoozing"] += 1
        if self.probe.started["snoozing"] == 1:
            raise Snooze(timedelta(seconds=0.05), "busy elsewhere")
        assert context.attempt == 1


class OverflowingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        context.report_progress(150, "too much")
        context.report_progress(-3)
        context.log("a \x00 zero and a lone surrogate \ud800")


class RenamedJob(ProbedJob):
    job_type: ClassVar[str | None] = "tests.New"
    aliases: ClassVar[tuple[str, ...]] = ("tests.Old",)

    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.finished["renamed"] += 1


class UnregisteredJobClass(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        raise AssertionError


JOBS = (
    ReportingJob,
    WaitingJob,
    QuickTimeoutJob,
    ThreadJob,
    PermanentlyFailingJob,
    PickyJob,
    SnoozingJob,
    OverflowingJob,
    RenamedJob,
)


class JobsModule(Module):
    name: ClassVar[str] = "tests"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    def __init__(self, probe: Probe, jobs: Sequence[type[ModuleJob]] = ()) -> None:
        self.probe = probe
        self.jobs: tuple[type[ModuleJob], ...] = (*JOBS, *jobs)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_instance(Probe, self.probe)
        for job in self.jobs:
            add_module_job(services, job)
