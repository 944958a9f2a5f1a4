"""Jobs that do what no job should."""

import asyncio
import sys
from datetime import timedelta
from typing import ClassVar

import anyio

from background_jobs.jobs_module import ProbedJob
from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, Snooze


class SelfCancellingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        task = asyncio.create_task(asyncio.sleep(10))
        task.cancel()
        await task


class OwnTaskCancellingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)


class ExitingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        sys.exit(3)


class GroupExitingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(_exit)


class TaskExitingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        await asyncio.create_task(_exit())


async def _exit() -> None:
    sys.exit(3)


class ThreadExitingJob(ProbedJob):
    def execute(self, context: JobExecutionContext) -> None:
        sys.exit(3)


class InterruptingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        raise KeyboardInterrupt


class Speechless(Exception):
    def __str__(self) -> str:
        raise ValueError


class SpeechlessJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        raise Speechless


class Uncomparable(type):
    def __instancecheck__(cls, instance: object) -> bool:
        raise TypeError


class UncomparableError(Exception, metaclass=Uncomparable):
    pass


class WronglyDeclaredJob(ProbedJob):
    no_retry: ClassVar[tuple[type[Exception], ...]] = (UncomparableError,)

    async def execute(self, context: JobExecutionContext) -> None:
        raise ValueError


class OverSnoozingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        raise Snooze(timedelta.max)


class NumberSnoozingJob(ProbedJob):
    async def execute(self, context: JobExecutionContext) -> None:
        raise Snooze(30)  # type: ignore[arg-type]


class BackingOffForEverJob(ProbedJob):
    retry_base_delay: ClassVar[timedelta | None] = timedelta.max

    async def execute(self, context: JobExecutionContext) -> None:
        raise ValueError


FAILING: dict[type[ModuleJob], str] = {
    SelfCancellingJob: "CancelledError",
    OwnTaskCancellingJob: "CancelledError",
    ExitingJob: "SystemExit: 3",
    GroupExitingJob: "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
    TaskExitingJob: "ExitOfTask: SystemExit: 3",
    ThreadExitingJob: "SystemExit: 3",
    InterruptingJob: "KeyboardInterrupt",
    SpeechlessJob: "Speechless: (its text is unavailable: ValueError)",
    NumberSnoozingJob: "InvalidJobData: delay is 30; give a timedelta",
    WronglyDeclaredJob: "ValueError, whose outcome could not be determined: TypeError",
}
MISBEHAVING: tuple[type[ModuleJob], ...] = (*FAILING, OverSnoozingJob, BackingOffForEverJob)
