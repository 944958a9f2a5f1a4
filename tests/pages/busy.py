"""A busy day: statistics of finished jobs, jobs of several types, schedules with earlier runs."""

import math
import random
from collections.abc import Sequence
from datetime import timedelta

from modhost import Clock
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model.statistics import MinuteCounts, TypeCounts, TypeKey
from modhost_background_jobs.storage.statistics import StatisticsStore
from modhost_reports_example.contracts import ReportRequest, ReportsContracts, ReportType
from pages.demo import ImportCustomersJob, RebuildSearchIndexJob, SendInvoicesJob, Steps
from pages.site import Site

_INVOICES = TypeKey("customers.SendInvoicesJob", "default", "2026.11.3")


async def make_busy(served: Site) -> None:
    """Give every page content."""
    await remember_a_day(served)
    await _make_reports(served)
    await served.scheduling.enqueue_many(SendInvoicesJob, [Steps(pause=0.02)] * 8)
    await served.scheduling.enqueue_many(RebuildSearchIndexJob, [Steps(pause=0.02)] * 6)
    await _let_schedules_run(served)
    failed = await served.scheduling.enqueue(SendInvoicesJob, Steps(fail_at=2))
    await served.reaches(failed, JobState.FAILED)
    for job, begin, steps in ((RebuildSearchIndexJob, 130, 400), (SendInvoicesJob, 140, 200)):
        await served.scheduling.enqueue(job, Steps(begin=begin, steps=steps, pause=2))


async def remember_a_day(served: Site) -> None:
    """Store statistics of the last day by the minute, the same each time."""
    chance = random.Random(7)  # noqa: S311
    clock = await served.service(Clock)
    now = clock.now().replace(second=0, microsecond=0)
    minutes = [(now - timedelta(minutes=minute), _minute(minute, chance)) for minute in range(1440)]
    async with served.host.scope() as scope:
        store = await scope.get(StatisticsStore)
        for start in range(0, len(minutes), 200):
            some = minutes[start : start + 200]
            typed = [TypeCounts(minute, _INVOICES, counts) for minute, counts in some]
            await store.save("yesterday", some, typed)


def _minute(minute: int, chance: random.Random) -> MinuteCounts:
    counts = MinuteCounts()
    for number in range(int(24 + _tide(minute) + 8 * chance.random())):
        has_failed = chance.random() < (0.2 if 31 < minute < 36 else 0.001)
        counts.count(
            JobState.FAILED if has_failed else JobState.COMPLETED,
            waited=[chance.expovariate(18) + 0.01 * number],
            ran=[chance.lognormvariate(0.3, 0.6)],
        )
    return counts


def _tide(minute: int) -> float:
    return 11 * math.sin(minute / 11) + 9 * math.sin(minute / 160)


async def _make_reports(served: Site) -> None:
    async with served.host.scope() as scope:
        reports = await scope.get(ReportsContracts)
        for type_ in ReportType:
            request = ReportRequest(type=type_, source="seattle-weather")
            await served.reaches(await reports.request(request), JobState.COMPLETED)


async def _let_schedules_run(served: Site) -> None:
    runs: Sequence[Steps] = [Steps(pause=pause) for pause in (0.01, 0.02, 0.04, 0.01, 0.03)]
    recurring = await served.scheduling.add_recurring(
        ImportCustomersJob,
        name="Import customers",
        cron_expression="*/30 * * * *",
        time_zone="Europe/Berlin",
    )
    for data in (*runs, Steps(fail_at=0), *runs):
        await served.scheduling.add_recurring(
            ImportCustomersJob,
            name="Import customers",
            cron_expression="*/30 * * * *",
            time_zone="Europe/Berlin",
            data=data,
        )
        run = await served.scheduling.run_recurring_now(recurring)
        await served.reaches(run, JobState.FAILED if data.fail_at == 0 else JobState.COMPLETED)
