"""Figures of job types: spans against those before, bars of charts, versions."""

from datetime import datetime, timedelta

import pytest

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.types.figures import SHAPES, TypeFigures, TypeSpan
from modhost_background_jobs.maintenance.roll_ups import RollUpService
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts, TypeKey
from modhost_background_jobs.storage.statistics import StatisticsStore, TypeStatisticsStore
from moving_clock import START, MovingClock
from sweeps import first_on_both

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
KEY = TypeKey("tests.Job", "default", "1")


def counted(completed: int, failed: int = 0, ran: float = 1.0) -> MinuteCounts:
    counts = MinuteCounts()
    for _ in range(completed):
        counts.count(JobState.COMPLETED, [0.01], [ran])
    for _ in range(failed):
        counts.count(JobState.FAILED, [0.01], [ran])
    return counts


class Past:
    """What finished how long ago."""

    def __init__(self, database: Database, clock: MovingClock) -> None:
        self._store = StatisticsStore(database)
        self._clock = clock
        self.figures = TypeFigures(TypeStatisticsStore(database), clock)
        of_types = TypeStatisticsStore(database)
        self.roll_up = RollUpService(self._store, of_types, clock)

    async def add(self, ago: timedelta, counts: MinuteCounts, key: TypeKey = KEY) -> None:
        minute: datetime = (self._clock.now() - ago).replace(second=0, microsecond=0)
        await self._store.save("w1", [(minute, counts)], [TypeCounts(minute, key, counts)])


@pytest.fixture
def past(database: Database, clock: MovingClock) -> Past:
    clock.time = START + timedelta(minutes=17, seconds=4)
    return Past(database, clock)


@pytest.mark.parametrize("is_rolled_up", [False, True])
async def test_each_span_is_compared_with_the_one_before(past: Past, is_rolled_up: bool) -> None:
    await past.add(timedelta(minutes=1), counted(3, 1, ran=8.0))
    await past.add(timedelta(minutes=70), counted(5))
    await past.add(26 * HOUR, counted(7, 2))
    await past.add(8 * DAY, counted(11))
    await past.add(15 * DAY, counted(13))
    if is_rolled_up:
        await past.roll_up.step()
    history = await past.figures.of_type("tests.Job", "day")
    compared = {
        each.span: (each.now.completed, each.now.failed, each.before.completed, each.before.failed)
        for each in history.spans
    }
    assert compared == {"hour": (3, 1, 5, 0), "day": (8, 1, 7, 2), "week": (15, 3, 11, 0)}
    hour = history.spans[0]
    assert hour.now.run_p50 == pytest.approx(8, rel=0.25)
    assert hour.before.run_p50 == pytest.approx(1, rel=0.25)
    everything = await past.figures.all("week")
    assert everything == {"tests.Job": history.spans[2]}
    assert (await past.figures.all("hour"))["tests.Job"].before.completed == 5


@first_on_both(
    "span,bars,finished",
    [("hour", 60, 4), ("day", 24, 9), ("week", 56, 16), ("quarter", 90, 47)],
)
async def test_the_bars_of_a_chart_have_all_of_its_span(
    past: Past, span: TypeSpan, bars: int, finished: int
) -> None:
    for ago, number in ((0, 4), (2, 5), (50, 7), (40 * 24, 31), (100 * 24, 1000)):
        await past.add(ago * HOUR, counted(number))
    await past.roll_up.step()
    history = await past.figures.of_type("tests.Job", span)
    assert len(history.buckets) == bars
    assert sum(each.completed for each in history.buckets) == finished
    assert history.buckets[-1].completed >= 4
    width = history.buckets[1].start - history.buckets[0].start
    assert width == SHAPES[span].bars


async def test_versions_are_compared_the_newest_first(past: Past) -> None:
    await past.add(3 * HOUR, counted(4, ran=1.0))
    await past.add(HOUR, counted(2, 1, ran=9.0), KEY._replace(app_version="2"))
    await past.add(HOUR, counted(1), KEY._replace(job_type="tests.Other"))
    new, old = (await past.figures.of_type("tests.Job", "day")).versions
    assert (new.version, new.figures.failed, old.version) == ("2", 1, "1")
    assert new.figures.run_p95 is not None
    assert old.figures.run_p95 is not None
    assert new.figures.run_p95 > 5 * old.figures.run_p95


async def test_a_type_that_has_finished_nothing_has_empty_figures(past: Past) -> None:
    history = await past.figures.of_type("tests.Job", "hour")
    assert [each.now.completed for each in history.spans] == [0, 0, 0]
    assert history.spans[0].now.run_p95 is None
    assert history.versions == []
