"""The module with the jobs that modhost is measured by."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

import anyio
from pydantic import BaseModel

from benchmarks.contenders.contender import Executions
from modhost import Module, hookimpl
from modhost.services import ServiceCollection
from modhost_background_jobs.contracts import (
    Concurrency,
    Executor,
    Fair,
    JobExecutionContext,
    ModuleJob,
    Unique,
    add_module_job,
)


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


class Summary(BaseModel):
    """What a job returns."""

    rows: int = 0


class Returning(ModuleJob[None, Summary]):
    """Does nothing, and returns a result."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> Summary:
        """Count."""
        await self._executions.noop()
        return Summary()


class Stepping(ModuleJob):
    """Does nothing in a step."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> None:
        """Count."""
        await context.step("count", self._executions.noop)


class Letter(BaseModel):
    """Data as a job of an application has it."""

    to: str
    text: str


class Mail(ModuleJob):
    """Reads its data."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> None:
        """Read and count."""
        context.get_data(Letter)
        self._executions.count()


class Keyed(Letter):
    """The same with a key for flow control."""

    key: str


class Limited(Mail):
    """One of a key at a time."""

    concurrency = Concurrency(1, per="key")


class Once(Mail):
    """Once for a key."""

    unique = Unique(per="key")


class InTurns(Mail):
    """Keys take turns."""

    fair = Fair(per="key")


class Apart(ModuleJob):
    """Does nothing, in a process of its own, where nothing is counted."""

    executor: ClassVar[Executor] = "process"

    def execute(self, context: JobExecutionContext) -> None:
        """Do nothing."""


class Stuck(ModuleJob):
    """Begins and never ends."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> None:
        """Count, and wait forever."""
        self._executions.count()
        await anyio.sleep_forever()


class Talk(BaseModel):
    """How much a job has to say, and whether it logs or reports it."""

    lines: int
    chunks: int
    seconds: float
    logs: bool = False
    reports: bool = False


class Talker(ModuleJob):
    """Logs lines and reports progress, evenly over some seconds."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def execute(self, context: JobExecutionContext) -> None:
        """Talk in chunks with a pause after each."""
        talk = context.get_data(Talk)
        log: Callable[[str], None] = context.log if talk.logs else _keep_quiet
        report = context.report_progress if talk.reports else _report_nothing
        step = max(1, talk.lines // talk.chunks)
        for first in range(0, talk.lines, step):
            for line in range(first, min(talk.lines, first + step)):
                log(f"line {line}")
                report(100 * line / talk.lines, f"line {line}")
            await anyio.sleep(talk.seconds / talk.chunks)
        self._executions.count()


def _keep_quiet(_message: str) -> None:
    pass


def _report_nothing(_percentage: float, _message: str) -> None:
    pass


PLAIN: Final = (Noop, Short, Mail, Stuck, Talker)
"""What other contenders have, too: a worker with types that have more asks for more."""
JOBS: Final = (*PLAIN, Returning, Stepping, Limited, Once, InTurns, Apart)


class BenchmarkJobs(Module):
    """Brings the jobs; `executions` is what they do in a worker process."""

    name: ClassVar[str] = "benchmarks"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    def __init__(
        self,
        executions: Executions | None = None,
        jobs: Sequence[type[ModuleJob[Any, Any]]] = JOBS,
    ) -> None:
        self._executions = executions or Executions()
        self._jobs = jobs

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        """Register the jobs."""
        services.add_instance(Executions, self._executions)
        for job in self._jobs:
            add_module_job(services, job)
