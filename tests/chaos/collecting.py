"""Collect what the database and the logs of the processes say in the end."""

import json
import re
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text

from chaos.judging.account import SECOND, Account, Span
from chaos.judging.stored import Stored, StoredJob
from chaos.load.stepped import ENTRIES
from modhost.database import Database
from modhost_background_jobs.storage.tables import (
    FINISHED,
    JOBS,
    LIMITS,
    OCCURRENCES,
    SCHEDULES,
    WORKFLOWS,
)
from processes.host_process import HostProcess
from processes.racing.starts import STARTS

TAKEN_FOR_DEAD = re.compile(r"^(\S+Z) .*?-(\d+)-\w+ was taken for dead", re.MULTILINE)
UNNOTICED_SECONDS = 30
WRONG_SECONDS = 30
"""By how much clocks are set at most."""


async def count_jobs(database: Database) -> int:
    """Return how many jobs have not ended."""
    async with database.reading() as session:
        connection = await session.connection()
        count = select(func.count()).select_from(JOBS)
        found: int = (await connection.execute(count)).scalar_one()
        return found


async def collect(database: Database, account: Account) -> Stored:
    """Return all that the judges need of the database, besides the ledger."""
    stored = Stored()
    async with database.reading() as session:
        connection = await session.connection()
        named = await connection.execute(select(SCHEDULES.c.id, SCHEDULES.c.name))
        schedules: dict[UUID, str] = {row[0]: row[1] for row in named}
        for table in (JOBS, FINISHED):
            columns = (table.c[name] for name in COLUMNS)
            for row in await connection.execute(select(*columns)):
                job = _job(row, schedules)
                stored.jobs[job.id] = job
        due_times = select(OCCURRENCES.c.recurring_job_id, OCCURRENCES.c.due_at)
        for id_, due_at in await connection.execute(due_times):
            stored.due_times.setdefault(schedules.get(id_, ""), set()).add(due_at.timestamp())
        for token, number in await connection.execute(select(ENTRIES)):
            entries = stored.entries.setdefault(token, {})
            entries[number] = entries.get(number, 0) + 1
        stored.outcomes = list((await connection.execute(select(WORKFLOWS.c.outcome))).scalars())
        rates = select(LIMITS.c.name, LIMITS.c.default_limit, LIMITS.c.period_seconds)
        of_rates = rates.where(LIMITS.c.kind == "rate")
        limits = {row[0]: (row[1], row[2]) for row in await connection.execute(of_rates)}
        starts = select(STARTS.c.limit_name, STARTS.c.key, STARTS.c.granted_at)
        # On SQLite rates go by the clock of the machine, and so by a wrong one.
        is_shared = database.dialect == "sqlite"
        wrong = list(_wrong_times(account)) if is_shared else []
        for name, key, at in await connection.execute(starts):
            moment = at.timestamp()
            if name in limits and not any(since <= moment <= until for since, until in wrong):
                stored.starts.setdefault(f"{name} {key}", (*limits[name], []))[2].append(moment)
        if database.dialect == "postgresql":
            counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            stored.deadlocks = (await connection.execute(text(counted))).scalar_one()
    return stored


def _wrong_times(account: Account) -> Iterator[tuple[float, float]]:
    offset = (time.time_ns() - time.monotonic_ns()) / SECOND
    for span in account.named("clock"):
        since, until = span.began / SECOND, (span.ended or span.began) / SECOND
        yield since + offset - WRONG_SECONDS, until + offset + WRONG_SECONDS


COLUMNS = ("id", "job_type", "state", "data", "recurring_job_id", "due_at", "error")


def _job(row: Row[Any], schedules: dict[UUID, str]) -> StoredJob:
    id_, job_type, state, data, schedule, due_at, error = tuple(row)
    module, _, kind = job_type.partition(".")
    token = json.loads(data).get("token", "") if data and module == "chaos" else ""
    return StoredJob(
        id=str(id_),
        kind=kind,
        state=state,
        token="" if schedule else token,
        schedule=schedules.get(schedule, "") if schedule else "",
        due=due_at.timestamp() if due_at else None,
        error=error or "",
        is_own=module == "chaos",
    )


def note_slow_workers(account: Account, processes: Iterable[HostProcess]) -> int:
    """Take workers that were silent for the load of the machine as away then; return how many."""
    offset = time.monotonic_ns() - time.time_ns()
    unexplained = 0
    for process in processes:
        for at, pid in TAKEN_FOR_DEAD.findall(process.log):
            back = int(datetime.fromisoformat(at).timestamp() * SECOND) + offset
            away = [span for span in account.named("impaired") if int(pid) in span.pids]
            if any(span.began < back < (span.ended or back) + 20 * SECOND for span in away):
                continue
            unexplained += 1
            facts = {"pids": [int(pid)], "how": "slow"}
            since = back - UNNOTICED_SECONDS * SECOND
            account.note_span(f"slow-{pid}-{at}", Span("impaired", facts, since, back))
    return unexplained
