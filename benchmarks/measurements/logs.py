"""What jobs cost that log and report a lot, and whether a line is lost."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import anyio

from benchmarks.contenders.contender import Contender, Dialect
from benchmarks.contenders.modhost_jobs import Talk, Talker
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.processes import Workers, worker_processes
from benchmarks.run import Run
from benchmarks.sizes import Sizes
from benchmarks.usage import usage_of
from modhost.testing import RunningHost
from modhost_background_jobs.contracts import BackgroundJobs, BackgroundJobsContracts, JobDetail

CHUNKS: Final = 100
KEPT: Final = 1000
MANY: Final = 100
CPU = Metric("CPU", "% of a core")
LINES = Metric("lines kept", "lines")


async def measure(run: Run) -> list[Results]:
    """Run jobs that talk and those that do not, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    sizes = run.sizes
    results = Results("logs", "Logs and progress at volume", dialect)
    results.notes.append(
        f"{sizes.log_lines:,} lines, or reports of progress, within {sizes.log_seconds:g} s, by "
        f"one job or by {MANY} at the same time. max_log_entries is {KEPT:,}, the default. The "
        "processor time is that of the worker process."
    )
    for contender in run.own_turns(dialect):
        async with _hosts(run, contender) as (host, workers):
            # The first one pays for what is loaded at first use.
            await _talk(run, host, workers, [_talk_of(sizes, 1, logs=True, reports=True)])
            for row, talks in _rows(sizes).items():
                cpu, detail = await _talk(run, host, workers, talks)
                if cpu is not None:
                    results.add(row, CPU, cpu)
                if talks[0].logs:
                    _check(detail, talks[0].lines)
                    results.add(row, LINES, len(detail.logs) * len(talks))
    return results


def _rows(sizes: Sizes) -> dict[str, list[Talk]]:
    """Return who talks in which row; the first row is the measure of the others."""
    return {
        "a job that keeps quiet": [_talk_of(sizes, 1)],
        "a job that logs": [_talk_of(sizes, 1, logs=True)],
        "a job that reports progress": [_talk_of(sizes, 1, reports=True)],
        f"{MANY} jobs that keep quiet": [_talk_of(sizes, MANY)] * MANY,
        f"{MANY} jobs that log and report": [_talk_of(sizes, MANY, logs=True, reports=True)] * MANY,
    }


def _talk_of(sizes: Sizes, jobs: int, *, logs: bool = False, reports: bool = False) -> Talk:
    lines = max(1, sizes.log_lines // jobs)
    chunks, seconds = max(1, CHUNKS // jobs), sizes.log_seconds
    return Talk(lines=lines, chunks=chunks, seconds=seconds, logs=logs, reports=reports)


@asynccontextmanager
async def _hosts(run: Run, contender: Contender) -> AsyncIterator[tuple[RunningHost, Workers]]:
    async with (
        run.databases.new(contender.dialect) as url,
        producing(url) as host,
        worker_processes(run.fork_servers, contender, url, 1) as workers,
    ):
        await workers.go()
        yield host, workers


async def _talk(
    run: Run, host: RunningHost, workers: Workers, talks: Sequence[Talk]
) -> tuple[float | None, JobDetail]:
    """Run the jobs; return what they cost the worker process, in percent of a core, and one."""
    seconds = run.sizes.log_seconds
    before, executed = usage_of(workers.pid), workers.executed + len(talks)
    async with host.scope() as scope:
        jobs = await scope.get(BackgroundJobs)
        queries = await scope.get(BackgroundJobsContracts)
        ids = await jobs.enqueue_many(Talker, talks)
        await workers.until(lambda: workers.executed >= executed, 60 + seconds, 0.01)
        with anyio.fail_after(60):
            for job_id in ids:
                while (
                    detail := await queries.get_job_detail(job_id)
                ) and not detail.state.is_final:
                    await anyio.sleep(0.02)
    after = usage_of(workers.pid)
    if detail is None or detail.error is not None:
        msg = f"A job that talks did not complete: {detail}"
        raise RuntimeError(msg)
    if before is None or after is None:
        return None, detail
    return 100 * (after.cpu - before.cpu) / seconds, detail


def _check(detail: JobDetail, lines: int) -> None:
    """Raise `RuntimeError` unless exactly the newest lines are there, in order."""
    expected = [f"line {number}" for number in range(max(0, lines - KEPT), lines)]
    if [entry.message for entry in detail.logs] != expected:
        msg = f"Of {lines} lines {len(detail.logs)} are kept, which are not the newest {KEPT}."
        raise RuntimeError(msg)
