"""The module with the jobs that modhost is measured by."""

from collections.abc import Callable
from typing import ClassVar

import anyio
from pydantic import BaseModel

from benchmarks.contenders.contender import Executions
from modhost import Module, hookimpl
from modhost.services import ServiceCollection
from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, add_module_job


class Noop(ModuleJob):
    """Does nothing."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> None:
        """Count."""
        await self._executions.noop()


class Short(ModuleJob):
    """Waits a millisecond."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> None:
        """Wait and count."""
        await self._executions.short()


class Talk(BaseModel):
    """How much a job logs, and whether it really does."""

    lines: int
    chunks: int
    seconds: float
    aloud: bool


class Talker(ModuleJob):
    """Logs lines, evenly over some seconds."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> None:
        """Log in chunks with a pause after each."""
        talk = context.get_data(Talk)
        log: Callable[[str], None] = context.log if talk.aloud else _keep_quiet
        for first in range(0, talk.lines, max(1, talk.lines // talk.chunks)):
            for line in range(first, min(talk.lines, first + talk.lines // talk.chunks)):
                log(f"line {line}")
            await anyio.sleep(talk.seconds / talk.chunks)
        self._executions.count()


def _keep_quiet(_message: str) -> None:
    pass


class BenchmarkJobs(Module):
    """Brings the jobs; `executions` is what they do in a worker process."""

    name: ClassVar[str] = "benchmarks"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    def __init__(self, executions: Executions | None = None) -> None:
        self._executions = executions or Executions()

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        """Register the jobs."""
        services.add_instance(Executions, self._executions)
        for job in (Noop, Short, Talker):
            add_module_job(services, job)
