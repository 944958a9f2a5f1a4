"""The jobs of the simulation; their data says what each does."""

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
from modhost_background_jobs.model import Lease
from modhost_background_jobs.worker.attempts.context import AttemptContext
from simulation.history import History, StepEvent
from simulation.links.faults import Link


class Plan(BaseModel):
    """What an attempt does."""

    seconds: float = 0
    lines: int = 1
    failures: int = 0
    first_ends: Literal["as all", "permanent error", "snooze", "own cancellation"] = "as all"
    stop_delay: float = 0
    """Seconds that it takes to stop after a request."""
    has_steps: bool = False
    """Whether each line comes with a step."""


class Stage:
    """The process in which jobs run."""

    def __init__(self, history: History, link: Link) -> None:
        self.history = history
        self.link = link


class SimulatedJob(ModuleJob):
    """Follows its plan."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def execute(self, context: JobExecutionContext) -> None:
        if self._stage.link.is_dead:
            # The process is dead; only the simulation lets its tasks end in order.
            await anyio.sleep_forever()
        plan = context.get_data(Plan)
        lease = cast(AttemptContext, context)._attempt.lease
        with self._stage.history.attempt(lease, self._stage.link.name, plan.stop_delay) as attempt:
            for line in range(plan.lines):
                attempt.lines.append(f"{lease.fence}: {line}")
                context.log(attempt.lines[-1])
                context.report_progress(100 * line / plan.lines)
                if plan.has_steps:
                    await self._take_step(context, lease, line)
                await _work(plan.seconds / plan.lines, stop_delay=plan.stop_delay)
            if lease.fence == 1:
                _end_specially(plan)
            if context.attempt <= plan.failures:
                msg = f"failure {context.attempt}"
                raise ValueError(msg)

    async def _take_step(self, context: JobExecutionContext, lease: Lease, number: int) -> None:
        """Take a step that returns the fence of the attempt that has done it."""
        name = f"step {number}"
        events = self._stage.history.steps[lease.job_id, name]

        async def do_it() -> int:
            events.append(StepEvent("done", lease.fence, lease.fence))
            return lease.fence

        result = await context.step(name, do_it)
        events.append(StepEvent("known", lease.fence, result))


async def _work(seconds: float, *, stop_delay: float) -> None:
    try:
        await anyio.sleep(seconds)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await anyio.sleep(stop_delay)
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


REGISTERED: Final = [
    RegisteredJob(name, "tests", SimulatedJob, runs_in_thread=False) for name in TYPES
]
