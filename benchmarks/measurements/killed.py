"""How soon a job runs again whose worker process was killed."""

import time
from typing import Final

import anyio

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.contenders.modhost_jobs import Stuck
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import worker_processes
from benchmarks.run import Run
from modhost_background_jobs.contracts import BackgroundJobs

AGAIN = Metric("runs again after", "s")
DEADLINE_SECONDS: Final = 90


async def measure(run: Run) -> list[Results]:
    """Kill one of two workers, on both databases at once: almost all of it is waiting."""
    measured = [
        Results("killed", "A worker that is killed", dialect)
        for dialect in Dialect
        if run.has("modhost")
    ]
    async with anyio.create_task_group() as group:
        for results in measured:
            settings = "impatient settings" if run.sizes.impatient else "default settings"
            results.notes.append(
                f"One of two worker processes gets SIGKILL while it runs a job; {settings}; once."
            )
            group.start_soon(_measure, run, results)
    return measured


async def _measure(run: Run, results: Results) -> None:
    contender = next(each for each in run.contenders if _is_own(each, results.dialect))
    options = ["impatient"] if run.sizes.impatient else []
    async with (
        run.databases.new(results.dialect) as url,
        producing(url) as host,
        host.scope() as scope,
        worker_processes(run.fork_servers, contender, url, 2, *options) as workers,
    ):
        jobs = await scope.get(BackgroundJobs)
        await workers.go()
        await jobs.enqueue(Stuck)
        await workers.until(lambda: workers.executed == 1, DEADLINE_SECONDS, 0.01)
        victim = 0 if workers.executed_by(0) else 1
        began = time.monotonic()
        workers.kill(victim)
        await workers.until(lambda: workers.executed == 2, DEADLINE_SECONDS, 0.01)
        results.add("modhost", AGAIN, time.monotonic() - began)
        # Its job never ends.
        workers.kill(1 - victim)


def _is_own(contender: Contender, dialect: Dialect) -> bool:
    return contender.name == "modhost" and contender.dialect is dialect
