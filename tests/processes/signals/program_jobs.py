"""Jobs that run a program, and fail when that dies."""

import subprocess
from typing import ClassVar

import anyio

from modhost_background_jobs.contracts import Executor, JobExecutionContext, PermanentJobError
from processes.stage import Act, ActingJob

PROGRAM = ("sleep", "600")


class ProgramJob(ActingJob):
    def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        with subprocess.Popen(PROGRAM) as program:
            self.stage.mark("program", Act(name=str(program.pid)))
            self.stage.mark("started", act)
        if program.returncode:
            raise subprocess.CalledProcessError(program.returncode, PROGRAM)


class ProgramApartJob(ProgramJob):
    executor: ClassVar[Executor] = "process"


class AsyncProgramJob(ActingJob):
    async def execute(self, context: JobExecutionContext) -> None:
        act = context.get_data(Act)
        async with await anyio.open_process(PROGRAM) as program:
            self.stage.mark("program", Act(name=str(program.pid)))
            self.stage.mark("started", act)
            if await program.wait():
                raise PermanentJobError("the program died")


PROGRAM_JOBS = (ProgramJob, ProgramApartJob, AsyncProgramJob)
