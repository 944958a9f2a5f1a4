"""What a job costs that logs a lot, and whether a line is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.contenders.modhost_jobs import Talk, Talker
from benchmarks.contenders.modhost_queue import producing
from benchmarks.processes import Workers, worker_processes
from benchmarks.results import Metric, Results
from benchmarks.run import Run
from benchmarks.usage import usage_of
from modhost.testing import RunningHost
from modhost_background_jobs.contracts import BackgroundJobs, BackgroundJobsContracts, JobDetail

CHUNKS = 100
KEPT = 1000
CPU = Metric("CPU", "% of a core")
LINES = Metric("lines kept", "lines")
ALOUD = "logging"
QUIET = "the same job without logging"


async def measure(run: Run) -> list[Results]:
    """Run a job that logs and one that does not, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    sizes = run.sizes
    results = Results("logs", "Logs at volume", dialect)
    results.notes.append(
        f"One job logs {sizes.log_lines:,} lines within {sizes.log_seconds:g} s; max_log_entries "
        f"is {KEPT:,}, the default. The processor time is that of the worker process."
    )
    for contender in run.turns(dialect, with_limits=False):
        if contender.name != "modhost":
            continue
        async with _hosts(run, contender) as (host, workers):
            await _talk(run, host, workers, aloud=True)
            for aloud, row in ((True, ALOUD), (False, QUIET)):
                cpu, detail = await _talk(run, host, workers, aloud=aloud)
                if cpu is not None:
                    results.add(row, CPU, cpu)
                if aloud:
                    _check(detail, sizes.log_lines)
                    results.add(row, LINES, len(detail.logs))
    return results


@asynccontextmanager
async def _hosts(run: Run, contender: Contender) -> AsyncIterator[tuple[RunningHost, Workers]]:
    async with run.databases.new(contender.dialect) as url:
        await contender.prepare(url)
        async with producing(url) as host, worker_processes(contender, url, 1) as workers:
            await workers.go()
            yield host, workers


async def _talk(
    run: Run, host: RunningHost, workers: Workers, *, aloud: bool
) -> tuple[float | None, JobDetail]:
    """Run one job and return what it cost the worker process, in percent of a core."""
    sizes = run.sizes
    talk = Talk(lines=sizes.log_lines, chunks=CHUNKS, seconds=sizes.log_seconds, aloud=aloud)
    before = usage_of(workers.pid)
    async with host.scope() as scope:
        jobs = await scope.get(BackgroundJobs)
        queries = await scope.get(BackgroundJobsContracts)
        job_id = await jobs.enqueue(Talker, talk)
        executed = workers.executed
        await workers.until(lambda: workers.executed > executed, 60 + sizes.log_seconds, 0.01)
        with anyio.fail_after(60):
            while (detail := await queries.get_job_detail(job_id)) and not detail.state.is_final:
                await anyio.sleep(0.02)
    after = usage_of(workers.pid)
    if detail is None or detail.error is not None:
        msg = f"The job that logs did not complete: {detail}"
        raise RuntimeError(msg)
    if before is None or after is None:
        return None, detail
    return 100 * (after.cpu - before.cpu) / sizes.log_seconds, detail


def _check(detail: JobDetail, lines: int) -> None:
    """Raise `RuntimeError` unless exactly the newest lines are there, in order."""
    expected = [f"line {number}" for number in range(max(0, lines - KEPT), lines)]
    if [entry.message for entry in detail.logs] != expected:
        msg = f"Of {lines} lines {len(detail.logs)} are kept, which are not the newest {KEPT}."
        raise RuntimeError(msg)
