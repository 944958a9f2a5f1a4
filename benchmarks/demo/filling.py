"""Filling a migrated database with the shop: its past, its present and its schedules."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any, Final

from sqlalchemy import Table, delete, insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.demo import present
from benchmarks.demo.past.failures import outage
from benchmarks.demo.past.history import rows_of
from benchmarks.demo.past.plan import Planned, plan
from benchmarks.demo.past.roll_ups import RollUps
from benchmarks.demo.past.workflows import Workflows
from benchmarks.demo.schedules import Definition, Run, Schedules
from benchmarks.demo.shop import DEPLOYED, VERSIONS, Story
from modhost import Scope
from modhost.database import Database
from modhost_background_jobs.client.new_jobs import NewJobs
from modhost_background_jobs.model.flow import Flow
from modhost_background_jobs.queue.unique import insert_jobs
from modhost_background_jobs.storage.statistics import AppVersions, StatisticsStore
from modhost_background_jobs.storage.tables import (
    APP_VERSIONS,
    ATTEMPTS,
    CONDITIONS,
    DEPARTED,
    DEPENDENCIES,
    FINISHED,
    JOB_TAGS,
    JOB_WORDS,
    JOBS,
    LOGS,
    OCCURRENCES,
    SCHEDULES,
    TYPE_STATISTICS,
    WORKERS,
    WORKFLOWS,
)

BATCH_SIZE: Final = 5_000


async def fill(
    scope: Scope,
    now: datetime,
    *,
    scale: float = 1.0,
    zone: tzinfo = UTC,
    seed: int = 7,
    live: bool = False,
) -> Story:
    """Fill the database of a host that has the module of the shop.

    Args:
        scope: of the host.
        now: the moment that everything is relative to.
        scale: 1 for 201,500 finished jobs.
        zone: by whose clock the gateway of cards was away at three.
        seed: the same gives the same shop.
        live: whether workers are to run what runs, rather than to look as if they did.

    """
    story = Story(now, seed)
    schedules, workflows = Schedules(story), Workflows(story)
    runs = schedules.runs if scale >= 1 else schedules.runs[:: round(1 / scale**0.5)]
    planned = plan(story, outage(now, zone), scale, runs, workflows.jobs)
    filling = _Filling(await scope.get(Database), story)
    roll_ups = await filling.past(planned)
    await filling.store(TYPE_STATISTICS, roll_ups.of_types(scale, days=83 if scale >= 1 else 8))
    statistics = await scope.get(StatisticsStore)
    for worker, minutes in roll_ups.altogether.items():
        await statistics.save(worker, list(minutes.items()))
    await filling.empty(APP_VERSIONS)
    versions = await scope.get(AppVersions)
    for version, age in zip(VERSIONS, (timedelta(days=9), DEPLOYED), strict=True):
        await versions.note(version, now - age)
    new = await scope.get(NewJobs)
    await filling.schedules(schedules, runs, new)
    await filling.store(WORKFLOWS, workflows.rows)
    await filling.store(CONDITIONS, workflows.conditions)
    await filling.store(DEPENDENCIES, workflows.dependencies)
    await filling.present(new, scale, live=live)
    await filling.settle()
    return story


async def fill_past(scope: Scope, now: datetime, *, scale: float, seed: int = 8) -> None:
    """Store the finished jobs of another shop besides, and nothing else of it."""
    story = Story(now, seed)
    filling = _Filling(await scope.get(Database), story)
    await filling.past(plan(story, outage(now, UTC), scale, [], []))
    await filling.settle()


class _Filling:
    """Stores rows in batches, each by one statement with bound values."""

    def __init__(self, database: Database, story: Story) -> None:
        self._database = database
        self._story = story

    async def past(self, planned: Sequence[Planned]) -> RollUps:
        """Store the finished jobs, and return what was counted of them."""
        roll_ups = RollUps(self._story)
        for start in range(0, len(planned), BATCH_SIZE):
            rows = rows_of(self._story, list(planned[start : start + BATCH_SIZE]))
            roll_ups.count(rows.ended)
            async with self._database.session() as session:
                connection = await session.connection()
                await _insert(connection, FINISHED, rows.jobs)
                await _insert(connection, ATTEMPTS, rows.attempts)
                await _insert(connection, LOGS, rows.logs)
                await _insert(connection, JOB_TAGS, rows.tags)
                await _insert(connection, JOB_WORDS, rows.words)
        return roll_ups

    async def schedules(self, schedules: Schedules, runs: Sequence[Run], new: NewJobs) -> None:
        """Store the schedules, in place of those that the start of the module has put."""
        await self.empty(SCHEDULES)
        rows = [
            {**row, "flow": _flow(new, each).to_stored()}
            for row, each in zip(schedules.rows, schedules.definitions, strict=True)
        ]
        await self.store(SCHEDULES, rows)
        occurrences = (
            {
                "recurring_job_id": run.schedule,
                "due_at": run.due_at,
                "fired_at": run.due_at,
                "job_id": self._story.id_at(run.due_at),
            }
            for run in runs
        )
        await self.store(OCCURRENCES, occurrences)

    async def present(self, new: NewJobs, scale: float, *, live: bool) -> None:
        """Store what waits and runs, and the workers."""
        waiting = list(present.pending(self._story, new, scale, live=live))
        running = list(present.running(self._story, live=live))
        async with self._database.session() as session:
            connection = await session.connection()
            for start in range(0, len(waiting), 500):
                await insert_jobs(connection, waiting[start : start + 500])
            await _insert(connection, JOBS, [row for row, _ in running])
            await _insert(connection, LOGS, [line for _, lines in running for line in lines])
            await _insert(connection, WORKERS, list(present.workers(self._story, live=live)))
            if not live:
                await _insert(connection, DEPARTED, [present.departed(self._story)])

    async def empty(self, table: Table) -> None:
        """Delete what the start of the host has stored."""
        async with self._database.session() as session:
            await (await session.connection()).execute(delete(table))

    async def store(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Store rows of a table."""
        coming = iter(rows)
        while batch := list(islice(coming, BATCH_SIZE)):
            async with self._database.session() as session:
                await _insert(await session.connection(), table, batch)

    async def settle(self) -> None:
        """Let the database know how many rows it has, as it would by itself before long."""
        async with self._database.session() as session:
            await (await session.connection()).execute(text("ANALYZE"))


async def _insert(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    if rows:
        await connection.execute(insert(table), rows)


def _flow(new: NewJobs, each: Definition) -> Flow:
    return new.flow_of(each.job, None, None, ()).of(each.data, each.data.model_dump_json())
