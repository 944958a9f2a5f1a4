"""Whether pages cost more when there are more jobs."""

import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.measurements.growth.seeding import JOB_TYPE, SOUND_TYPE, add_finished, add_pending
from benchmarks.run import Run

if TYPE_CHECKING:
    import httpx2

WARM_UP: Final = 1
MIDDLE: Final = "00000000-0000-0000-0000-0000000001f4"
PAGES: Final = {
    "dashboard": "/admin/jobs",
    "list": "/admin/jobs/list",
    "list, completed": "/admin/jobs/list?state=Completed",
    "list, pending of a type": f"/admin/jobs/list?state=Pending&job_type={JOB_TYPE}",
    "list, of a type": f"/admin/jobs/list?job_type={SOUND_TYPE}",
    "list, failed of a sound type": f"/admin/jobs/list?state=Failed&job_type={SOUND_TYPE}",
    "list, skipped of a sound type": f"/admin/jobs/list?state=Skipped&job_type={SOUND_TYPE}",
    "list, pending of a sound type": f"/admin/jobs/list?state=Pending&job_type={SOUND_TYPE}",
    "list, far back": f"/admin/jobs/list?before={MIDDLE}",
    "list, words of an error": "/admin/jobs/list?q=record+1",
    "list, words of no error": "/admin/jobs/list?q=nothing+like+this",
    "list, words, completed": "/admin/jobs/list?q=nothing+like+this&state=Completed",
    "list, words, of a sound type": f"/admin/jobs/list?q=record&job_type={SOUND_TYPE}",
    "job": f"/admin/jobs/{MIDDLE}",
    "recurring": "/admin/jobs/recurring",
    "workers": "/admin/jobs/workers",
    "confirm: retry all failed": "/admin/jobs/many?change=retry&all=true&state=Failed",
    "confirm: cancel all pending": "/admin/jobs/many?change=cancel&all=true&state=Pending",
    "API, first page": "/api/jobs",
    "API, page 5,000": "/api/jobs?page=5000",
    "API, completed, page 5,000": "/api/jobs?state=Completed&page=5000",
}


async def measure(run: Run) -> list[Results]:
    """Open each page among few and among many jobs, on each database."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    results = Results("pages", "Pages", dialect)
    results.notes.append(
        f"The server's time for a page, the median of {run.sizes.pages} visits by turns."
    )
    async with AsyncExitStack() as stack:
        visitors: dict[Metric, httpx2.AsyncClient] = {}
        for finished, pending in run.sizes.jobs:
            url = await stack.enter_async_context(run.databases.new(dialect))
            host = await stack.enter_async_context(producing(url))
            await add_finished(dialect, url, finished)
            await add_pending(dialect, url, pending)
            client = await host.client("BackgroundJobs.*")
            client.headers["Accept"] = "text/html"
            visitors[Metric(f"{finished:,} finished, {pending:,} pending", "ms")] = client
        await run.databases.settle(dialect)
        for turn in range(WARM_UP + run.sizes.pages):
            for name, path in PAGES.items():
                for amount, client in visitors.items():
                    began = time.perf_counter()
                    answer = await client.get(path)
                    if answer.status_code != 200:
                        msg = f"{path} answered {answer.status_code}."
                        raise RuntimeError(msg)
                    if turn >= WARM_UP:
                        results.add(name, amount, 1000 * (time.perf_counter() - began))
    return results
