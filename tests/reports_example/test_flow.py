"""A source is read by one job at a time, and a request that waits already is not repeated."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hosts import host_with
from modhost_reports_example.contracts import ReportRequest, ReportsContracts, ReportType
from modhost_reports_example.module import ReportsModule

pytestmark = pytest.mark.anyio

MONTHLY = ReportRequest(type=ReportType.MONTHLY, source="seattle-weather")
YEARLY = ReportRequest(type=ReportType.YEARLY, source="seattle-weather")


async def test_a_request_that_waits_is_not_repeated(database_url: str, tmp_path: Path) -> None:
    options = {"upload_folder": str(tmp_path)}
    async with host_with(database_url, ReportsModule(), reports_example=options) as jobs:
        async with jobs.host.scope() as scope:
            reports = await scope.get(ReportsContracts)
            first = await reports.request(MONTHLY)
            assert await reports.request(MONTHLY) == first
            assert await reports.request(YEARLY) != first
            tomorrow = datetime.now(UTC) + timedelta(days=1)
            later = await reports.request(MONTHLY, tomorrow)
            assert later != first
            assert await reports.request(MONTHLY, tomorrow) == later
            assert len(await reports.latest()) == 3


async def test_reports_of_a_source_are_made_one_after_the_other(
    database_url: str, tmp_path: Path
) -> None:
    options = {"upload_folder": str(tmp_path)}
    producer = {"worker_mode": "Producer"}
    consumer = {"worker_mode": "Consumer", "max_concurrency": 4}
    async with host_with(
        database_url, ReportsModule(), reports_example=options, background_jobs=producer
    ) as jobs:
        async with jobs.host.scope() as scope:
            reports = await scope.get(ReportsContracts)
            ids = [await reports.request(each) for each in (MONTHLY, YEARLY)]
    async with host_with(
        database_url, ReportsModule(), reports_example=options, background_jobs=consumer
    ) as jobs:
        first, second = [await jobs.ends(each) for each in ids]
    assert first.completed_at is not None
    assert second.started_at is not None
    assert second.started_at >= first.completed_at
