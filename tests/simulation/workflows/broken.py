"""Wrong ways to end awaited jobs on SQLite, each of which looks right when nothing goes wrong."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage.sqlite import transitions
from modhost_background_jobs.storage.workflows import sqlite_statements
from modhost_background_jobs.storage.workflows.ending import cancel_doomed, end_jobs
from modhost_background_jobs.storage.workflows.rules import Judged
from modhost_background_jobs.storage.workflows.sqlite import SqliteWorkflows
from modhost_background_jobs.storage.workflows.steps import Steps, run_on_sqlite
from simulation.links import sqlite
from simulation.links.sqlite import SqliteStore

_HAS_DEPENDENTS: Final = """
SELECT 1 FROM background_jobs_job_dependencies
WHERE after_id IN (SELECT value FROM json_each(?1)) LIMIT 1
"""
_UNCOUNTED: Final = """
UPDATE background_jobs_job_conditions AS c SET verdict = NULL
FROM json_each(?1) AS g WHERE c.job_id = g.value ->> 0
"""


class _Unjudged(SqliteWorkflows):
    """Ends jobs, and judges nothing."""

    def judge(self, ended: Sequence[Any], now: datetime) -> Steps[list[Any]]:
        yield from ()
        return []


class ReleasedAfterwards(SqliteStore):
    """Releases what waits once the end is stored."""

    async def end_awaited(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        ending = end_jobs(_Unjudged(), ended, now)
        held, _ = await self._sqlite.write(partial(run_on_sqlite, steps=ending))
        over = [(each.lease.job_id, each.state) for each in ended if each.lease.job_id in held]

        def judge() -> Steps[None]:
            statements = SqliteWorkflows()
            doomed = yield from statements.judge(over, now)
            yield from cancel_doomed(statements, doomed, set(), now)

        await self._sqlite.write(lambda connection: run_on_sqlite(connection, judge()))
        return held


class ReadBefore(SqliteStore):
    """Reads whether anything waits for the jobs, and then ends them."""

    async def end_awaited(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        ids = json.dumps([str(each.lease.job_id) for each in ended])
        found = await self._sqlite.fetch_one(_HAS_DEPENDENTS, [ids])
        ending = end_jobs(SqliteWorkflows() if found else _Unjudged(), ended, now)
        return (await self._sqlite.write(partial(run_on_sqlite, steps=ending))).held


class _CountedAnyway(SqliteWorkflows):
    """Judges all ends, also those of attempts whose worker was given up."""

    def end(self, ended: Sequence[Ended], now: datetime) -> Steps[Judged]:
        found = yield from super().end(ended, now)
        lost = [each for each in ended if each.lease.job_id not in found.ended]
        over = [(each.lease.job_id, each.state) for each in lost]
        doomed = yield from self.judge(over, now)
        return Judged(found.ended, [*found.doomed, *doomed])


@contextmanager
def released_afterwards() -> Iterator[None]:
    with _store(ReleasedAfterwards):
        yield


@contextmanager
def read_before() -> Iterator[None]:
    with _store(ReadBefore):
        yield


@contextmanager
def counted_twice() -> Iterator[None]:
    with patch.object(transitions, "_WORKFLOWS", _CountedAnyway()):
        yield


@contextmanager
def revived_uncounted() -> Iterator[None]:
    with patch.object(sqlite_statements, "NOTE_WAITING", _UNCOUNTED):
        yield


def _store(store: Callable[..., SqliteStore]) -> Any:
    return patch.object(sqlite, "SqliteStore", store)
