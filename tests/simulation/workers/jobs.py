"""The jobs of the simulation: what each does is written in its data."""

import asyncio
from datetime import timedelta
from typing import Final, Literal, cast

import anyio
from pydantic import BaseModel

from background_jobs.support import TYPES
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    RegisteredJob,
    Snooze,
)
from modhost_background_jobs.worker.attempts.context import AttemptContext
from simulation.workers.faults import Way
from simulation.workers.history import History


class Plan(BaseModel):
    """How an attempt goes."""

    seconds: float = 0
    lines: int = 1
    failures: int = 0
    first_ends: Literal["as all", "permanent error", "snooze", "own cancellation"] = "as all"
    sulks: float = 0
    """How many seconds it takes to stop when it is asked to."""


class Stage:
    """Where the jobs of one process run."""

    def __init__(self, history: History, way: Way) -> None:
        self.history = history
        self.way = way


class SimulatedJob(ModuleJob):
    """Follows its plan."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def execute(self, context: JobExecutionContext) -> None:
        if self._stage.way.is_dead:
            # The process is no more; that its tasks end in their own way is the simulation's.
            await anyio.sleep_forever()
        plan = context.get_data(Plan)
        lease = cast(AttemptContext, context)._attempt.claimed.lease
        with self._stage.history.attempt(lease, self._stage.way.name, plan.sulks) as attempt:
            for line in range(plan.lines):
                attempt.lines.append(f"{lease.fence}: {line}")
                context.log(attempt.lines[-1])
                context.report_progress(100 * line / plan.lines)
                await _work(plan.seconds / plan.lines, sulks=plan.sulks)
            if lease.fence == 1:
                _end_specially(plan)
            if context.attempt <= plan.failures:
                msg = f"failure {context.attempt}"
                raise ValueError(msg)


async def _work(seconds: float, *, sulks: float) -> None:
    try:
        await anyio.sleep(seconds)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await anyio.sleep(sulks)
        raise


def _end_specially(plan: Plan) -> None:
    match plan.first_ends:
        case "permanent error":
            msg = "no use"
            raise PermanentJobError(msg)
        case "snooze":
            raise Snooze(timedelta(seconds=2))
        case "own cancellation":
            raise asyncio.CancelledError


REGISTERED: Final = RegisteredJob(TYPES[0], "tests", SimulatedJob, runs_in_thread=False)
