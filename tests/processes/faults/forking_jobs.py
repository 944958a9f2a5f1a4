"""Jobs that fork."""

import time
from multiprocessing import get_context
from typing import ClassVar

from modhost_background_jobs.contracts import (
    Executor,
    JobExecutionContext,
)
from processes.stage import Act, ActingJob


class ForkingJob(ActingJob):
    """Forks a process, asks it to end, and marks how it did."""

    def execute(self, context: JobExecutionContext) -> None:
        self.stage.mark("started", context.get_data(Act))
        child = get_context("fork").Process(target=time.sleep, args=(600,))
        child.start()
        child.terminate()
        child.join(10)
        self.stage.mark(f"ended_by_{-(child.exitcode or 0)}", context.get_data(Act))
        child.kill()


class ForkingApartJob(ForkingJob):
    """Does so in a process of its own."""

    executor: ClassVar[Executor] = "process"


class ParentJob(ActingJob):
    """Leaves a forked process behind."""

    def execute(self, context: JobExecutionContext) -> None:
        child = get_context("fork").Process(target=time.sleep, args=(600,))
        child.start()
        self.stage.mark("program", Act(name=str(child.pid)))
        time.sleep(600)
