"""A module that keeps what the host reports, and one that fails in every way."""

import os
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

import anyio
from anyio.abc import TaskStatus
from pydantic import BaseModel

from modhost import ANYONE, ErrorOrigin, HostedService, Module, ServiceCollection, hookimpl, new_id
from modhost.events import Event
from modhost.module import PeriodicService
from modhost.web import Endpoints
from modhost_background_jobs.contracts import (
    Executor,
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    add_module_job,
)


class Reports:
    """What was reported, and how the hook behaves."""

    def __init__(self) -> None:
        self.got: list[tuple[BaseException, ErrorOrigin]] = []
        self.threads: set[str] = set()
        self.hangs = threading.Event()
        self.raises = False

    async def of(self, kind: str, count: int = 1) -> list[tuple[BaseException, ErrorOrigin]]:
        """Wait until so many errors of a kind are reported, and return them."""
        with anyio.fail_after(20):
            while len(found := [each for each in self.got if each[1].kind == kind]) < count:
                await anyio.sleep(0.01)
        return found


class ReportingModule(Module):
    name: ClassVar[str] = "reporting"

    def __init__(self, reports: Reports | None = None) -> None:
        self._reports = reports or Reports()

    @hookimpl
    def report_error(self, error: BaseException, where: ErrorOrigin) -> None:
        self._reports.threads.add(threading.current_thread().name)
        while self._reports.hangs.is_set():
            time.sleep(0.01)
        if where.kind == "job" and (folder := os.environ.get("REPORTS")):
            (Path(folder) / str(os.getpid())).write_text(f"{error!r} {where.is_final}")
        self._reports.got.append((error, where))
        if self._reports.raises:
            raise SystemExit


class Parcel(BaseModel):
    permanently: bool = False


class FailingJob(ModuleJob[Parcel]):
    max_attempts: ClassVar[int | None] = 2

    async def execute(self, context: JobExecutionContext[Parcel]) -> None:
        if context.data.permanently:
            msg = "never"
            raise PermanentJobError(msg)
        msg = f"attempt {context.attempt}"
        raise ValueError(msg)


class SlowJob(ModuleJob):
    max_attempts: ClassVar[int | None] = 1

    async def execute(self, context: JobExecutionContext) -> None:
        await anyio.sleep_forever()


class FailingProcessJob(ModuleJob):
    max_attempts: ClassVar[int | None] = 1
    executor: ClassVar[Executor] = "process"

    def execute(self, context: JobExecutionContext) -> None:
        msg = "elsewhere"
        raise ValueError(msg)


class DyingProcessJob(FailingProcessJob):
    def execute(self, context: JobExecutionContext) -> None:
        os._exit(3)


class Sent(Event):
    number: int


class Crashing(HostedService):
    name = "crashing"

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        msg = "crashed"
        raise ValueError(msg)


class Stumbling(PeriodicService):
    name = "stumbling"
    failure = "The stumbling step"
    interval = 30.0

    async def step(self) -> None:
        # What is logged once within a minute is reported once: each test has another.
        msg = f"stumbled {new_id()}"
        raise ValueError(msg)


async def refuse(event: Sent) -> None:
    msg = f"refused {event.number}"
    raise ValueError(msg)


async def broken(id: str) -> None:  # noqa: A002
    raise ValueError(id)


class FailingModule(Module):
    name: ClassVar[str] = "failing"
    route_prefix: ClassVar[str] = "/api/failing"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    publishes: ClassVar[tuple[type[Event], ...]] = (Sent,)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for each in (FailingJob, SlowJob, FailingProcessJob, DyingProcessJob):
            add_module_job(services, each)
        services.subscribe(Sent, refuse)
        for service in (Crashing, Stumbling):
            services.add_singleton(service)

    @hookimpl
    def hosted_services(self) -> list[type[Any]]:
        return [Crashing, Stumbling]

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/{id}", broken, permission=ANYONE)
