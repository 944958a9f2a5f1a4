"""The queue's own statements on PostgreSQL over asyncpg and over psycopg."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from typing import Any, Final

import asyncpg

from benchmarks.contenders.contender import Dialect
from benchmarks.contenders.modhost_queue import producing
from benchmarks.figures.results import Metric, Results
from benchmarks.measurements.claims import new_job, worker_store
from benchmarks.measurements.growth.seeding import JOB_TYPE
from benchmarks.run import Run
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import START
from modhost_background_jobs.storage.columns import NEW
from modhost_background_jobs.storage.postgres import claim_statements, lease_statements, statements

BATCH: Final = 100
WARM_UP: Final = 10
INSERT = Metric("insert of 1", "ms")
INSERT_MANY = Metric("insert of 100", "ms")
CLAIM = Metric("claim of 100", "ms")
END = Metric("end of 100", "ms")
_values: Final = attrgetter(*NEW)

Fetch = Callable[..., Awaitable[list[Any]]]


async def measure(run: Run) -> list[Results]:
    """Insert, claim and end by turns over each driver that is installed."""
    results = Results("drivers", "Drivers", Dialect.POSTGRESQL)
    results.notes.append(
        f"The queue's own statements, prepared, the median of {run.sizes.claims} of each by turns, "
        "with synchronous_commit off so that the disk does not hide the drivers."
    )
    async with run.databases.new(Dialect.POSTGRESQL) as url:
        async with producing(url):
            pass
        async with worker_store(url, [JOB_TYPE]):
            pass
        async with _asyncpg(url) as first:
            fetches = {"asyncpg": first}
            if find_spec("psycopg") is None:
                await _take_turns(run, results, fetches)
                return [results]
            async with _psycopg(url) as second:
                await _take_turns(run, results, fetches | {"psycopg": second})
    return [results]


async def _take_turns(run: Run, results: Results, fetches: dict[str, Fetch]) -> None:
    for turn in range(WARM_UP + run.sizes.claims):
        for row, fetch in fetches.items():
            for metric, seconds in (await _turn(fetch)).items():
                if turn >= WARM_UP:
                    results.add(row, metric, 1000 * seconds)


async def _turn(fetch: Fetch) -> dict[Metric, float]:
    """Return the seconds of each statement; what is inserted is claimed and ended."""
    taken: dict[Metric, float] = {}

    async def timed(metric: Metric, statement: str, *values: Any) -> list[Any]:
        began = time.perf_counter()
        rows = await fetch(statement, *values)
        taken[metric] = time.perf_counter() - began
        return rows

    insert = statements.INSERT_AND_NOTIFY
    await timed(INSERT, insert.one, *_values(new_job(JOB_TYPE)))
    jobs = zip(*(_values(new_job(JOB_TYPE)) for _ in range(BATCH - 1)), strict=True)
    await timed(INSERT_MANY, insert.many, *map(list, jobs))
    now = datetime.now(UTC)
    rows = await timed(CLAIM, claim_statements.CLAIM, [JOB_TYPE], now, BATCH, "bench", *START)
    leases = zip(*sorted((row[0], row[1]) for row in rows), strict=True)
    states = [lease_statements.NUMBERS[JobState.COMPLETED]] * len(rows)
    await timed(END, lease_statements.END, *map(list, leases), states, now)
    return taken


@asynccontextmanager
async def _asyncpg(url: str) -> AsyncIterator[Fetch]:
    connection = await asyncpg.connect(url, server_settings={"synchronous_commit": "off"})
    try:
        yield connection.fetch
    finally:
        await connection.close()


@asynccontextmanager
async def _psycopg(url: str) -> AsyncIterator[Fetch]:
    psycopg: Any = import_module("psycopg")
    async with await psycopg.AsyncConnection.connect(
        url, autocommit=True, prepare_threshold=0, cursor_factory=psycopg.AsyncRawCursor
    ) as connection:
        await connection.execute("SET synchronous_commit = off")

        async def fetch(statement: str, *values: Any) -> list[Any]:
            cursor = await connection.execute(statement, values, binary=True)
            rows: list[Any] = await cursor.fetchall() if cursor.description else []
            return rows

        yield fetch
