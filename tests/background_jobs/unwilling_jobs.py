"""Jobs that do not stop as asked."""

import time

import anyio

from background_jobs.jobs_module import ProbedJob
from modhost_background_jobs.contracts import JobExecutionContext


class TranslatingJob(ProbedJob):
    """Turns its cancellation into an error, as drivers and clients do."""

    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["job"] += 1
        try:
            await anyio.sleep_forever()
        except BaseException:  # noqa: BLE001 - that is what it is for
            msg = "the connection was closed"
            raise ConnectionError(msg) from None


class SwallowingJob(ProbedJob):
    """Returns when it is cancelled."""

    async def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["job"] += 1
        try:
            await anyio.sleep_forever()
        except BaseException:  # noqa: BLE001 - that is what it is for
            return


class ReturningThreadJob(ProbedJob):
    """Checks the flag, and returns."""

    def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["job"] += 1
        while not context.cancelled:
            time.sleep(0.005)


class UnresponsiveThreadJob(ProbedJob):
    """Never checks the flag."""

    def execute(self, context: JobExecutionContext) -> None:
        self.probe.started["job"] += 1
        self.probe.thread_gate.wait()


UNWILLING = (TranslatingJob, SwallowingJob, ReturningThreadJob, UnresponsiveThreadJob)
