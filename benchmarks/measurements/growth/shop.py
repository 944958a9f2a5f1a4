"""What the pages of a busy shop cost: processor time, bytes, and those of a viewer who stays."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import httpx2

from benchmarks.contenders.contender import Dialect
from benchmarks.demo.filling import fill
from benchmarks.demo.hosting import STILL, configured, shop_modules
from benchmarks.demo.present import RUNNING
from benchmarks.demo.shop import FINISHED
from benchmarks.figures.results import Metric, Results
from benchmarks.run import Run
from modhost.testing import RunningHost, running_host

TITLE: Final = "Pages of a shop"
PROCESSOR: Final = Metric("processor time", "ms")
BYTES: Final = Metric("bytes", "kB")
COMPRESSED: Final = Metric("compressed", "kB")
RATE: Final = Metric("sent", "kB/s")
WARM_UP: Final = 1
FIGURES: Final = "/admin/jobs"
PAGES: Final = {
    "dashboard, hour": FIGURES,
    "dashboard, day": f"{FIGURES}?span=day",
    "list": f"{FIGURES}/list",
    "list, a customer": f"{FIGURES}/list?q=C-10172",
    "list, words of an error": f"{FIGURES}/list?q=refused",
    "list, failed, by their end": f"{FIGURES}/list?state=Failed&by=finished",
    "types, hour": f"{FIGURES}/types",
    "types, 7 days": f"{FIGURES}/types?span=week",
    "a type": f"{FIGURES}/types/shop.ChargeCard",
    "recurring, 61 schedules": f"{FIGURES}/recurring",
    "queues": f"{FIGURES}/queues",
    "workers, 12": f"{FIGURES}/workers",
}
VIEWER: Final = "a live viewer of the dashboard"


async def measure(run: Run) -> list[Results]:
    """Open each page of a shop that stands still, and watch one that runs."""
    return [await _measure(run, dialect) for dialect in Dialect if run.has("modhost")]


async def _measure(run: Run, dialect: Dialect) -> Results:
    results = Results("shop", TITLE, dialect)
    results.notes.append(
        f"The shop of `make demo` with {FINISHED * run.sizes.shop:,.0f} finished jobs. "
        f"Processor time is that of the web host, without that of a server of PostgreSQL; the "
        f"median of {run.sizes.pages} visits by turns. The viewer watches for "
        f"{run.sizes.watched:g} s while {sum(RUNNING.values())} jobs report progress."
    )
    async with _shop(run, dialect, live=False) as host:
        client = await host.client("BackgroundJobs.*")
        client.headers["Accept"] = "text/html"
        path = (await client.get("/api/jobs?state=Failed&page_size=1")).json()["items"][0]["id"]
        pages = {**PAGES, "a failed job": f"{FIGURES}/{path}"}
        for turn in range(WARM_UP + run.sizes.pages):
            for name, path in pages.items():
                began = time.process_time()
                plain = await _size(client, path, "identity")
                if turn >= WARM_UP:
                    results.add(name, PROCESSOR, 1000 * (time.process_time() - began))
                    results.add(name, BYTES, plain / 1000)
                    results.add(name, COMPRESSED, await _size(client, path, "gzip") / 1000)
    async with _shop(run, dialect, live=True) as host:
        results.add(VIEWER, RATE, await _watch(host, run.sizes.watched) / 1000)
    return results


@asynccontextmanager
async def _shop(run: Run, dialect: Dialect, *, live: bool) -> AsyncIterator[RunningHost]:
    options = {"max_concurrency": 60, "shutdown_grace": "1s"} if live else STILL
    mode = "Consumer" if live else "Producer"
    async with run.databases.new(dialect) as url:
        config = configured(url, options=STILL)
        async with running_host(shop_modules(), config=config) as host, host.scope() as scope:
            await fill(scope, datetime.now(UTC), scale=run.sizes.shop, live=live)
        await run.databases.settle(dialect)
        config = configured(url, mode, options)
        async with running_host(shop_modules(), config=config) as host:
            yield host


async def _size(client: httpx2.AsyncClient, path: str, encoding: str) -> int:
    """Return how many bytes are sent of a page."""
    async with client.stream("GET", path, headers={"Accept-Encoding": encoding}) as answer:
        if answer.status_code != 200:
            msg = f"{path} answered {answer.status_code}."
            raise RuntimeError(msg)
        return sum([len(chunk) async for chunk in answer.aiter_raw()])


async def _watch(host: RunningHost, seconds: float) -> float:
    """Return how many bytes a second are sent to a browser that shows the dashboard."""
    client = await host.client("BackgroundJobs.*")
    began, sent = time.monotonic(), 0
    # A stream ends by itself after some seconds, and the browser opens the next one.
    while time.monotonic() - began < seconds:
        sent += await _size(client, f"{FIGURES}/events?watch=dashboard", "gzip")
    return sent / (time.monotonic() - began)
