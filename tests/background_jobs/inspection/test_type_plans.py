"""However much has finished and failed, what is shown of job types is read by indexes."""

from datetime import timedelta

import pytest

from background_jobs.queries.plans import (
    assert_read_by,
    plans_of,
    postgres_plans_of,
    statements,
)
from background_jobs.support import claim, new_job
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.types.failures import grouped
from modhost_background_jobs.inspection.types.figures import TypeFigures
from modhost_background_jobs.model import Ended
from modhost_background_jobs.queries.search.failures import END, MAX_FAILURES, RecentFailures
from modhost_background_jobs.storage import JobStore
from modhost_background_jobs.storage.statistics import AppVersions, TypeStatisticsStore
from moving_clock import MovingClock

pytestmark = pytest.mark.anyio


async def read_all(database: Database, clock: MovingClock) -> None:
    figures = TypeFigures(TypeStatisticsStore(database), clock)
    await figures.all("week")
    await figures.of_type("tests.Job", "quarter")
    await RecentFailures(database).of_type("tests.Job")
    await RecentFailures(database).have_finished("tests.Job")
    await AppVersions(database).since(clock.now())


async def test_figures_and_failures_are_found_by_indexes(
    database: Database, clock: MovingClock
) -> None:
    with statements() as sent:
        await read_all(database, clock)
    assert sum(statement.startswith("SELECT") for statement, _ in sent) == 7
    if database.dialect == "sqlite":
        ways = ("_type_statistics_", "_finished_jobs_type", "_app_versions")
        assert_read_by(await plans_of(database, sent), *ways)
    else:
        plan = await postgres_plans_of(database, sent)
        assert "Seq Scan on type_statistics" not in plan
        assert "Seq Scan on finished_jobs" not in plan
        assert "finished_jobs_type" in plan


async def test_only_so_many_failures_are_compared_by_the_ends_of_their_errors(
    database: Database, store: JobStore, clock: MovingClock
) -> None:
    trace = '\n\nTraceback:\n  File "/app/jobs.py", line 3, in execute\n    raise\n'
    old, *jobs = [new_job() for _ in range(MAX_FAILURES + 1)]
    await store.insert([old])
    (claimed,) = await claim(store, limit=1)
    await store.end([Ended(claimed.lease, JobState.FAILED, "Old")], clock.now())
    await store.insert(jobs)
    clock.advance(timedelta(minutes=1))
    for number in range(10):
        ends = [
            Ended(each.lease, JobState.FAILED, f"Broken: {number}{trace}{'x' * 2 * END}{trace}")
            for each in await claim(store, limit=100)
        ]
        await store.end(ends, clock.now())
    found = await RecentFailures(database).of_type("tests.Job")
    assert len(found) == MAX_FAILURES
    assert {len(each.end) for each in found} == {END}
    (group,) = grouped(found)
    assert (group.error, group.frame) == ("Broken", "app/jobs.py, execute")
    assert group.count == MAX_FAILURES
    assert group.last_at == clock.now()
