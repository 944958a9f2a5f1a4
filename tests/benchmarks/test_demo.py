"""The shop that `make demo` serves."""

import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from benchmarks.demo.__main__ import main
from benchmarks.demo.filling import fill
from benchmarks.demo.hosting import STILL, configured, shop_modules
from benchmarks.demo.past.failures import CAUSES, outage
from benchmarks.demo.past.plan import plan
from benchmarks.demo.present import BEHIND, LATER, RUNNING
from benchmarks.demo.schedules import Schedules
from benchmarks.demo.shop import SHARES, Story, type_of
from modhost.database import Database
from modhost.testing import running_host
from modhost_background_jobs.storage.tables import TYPE_STATISTICS
from sweeps import EXHAUSTIVE

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
SCALE = 0.01


@pytest.mark.anyio
async def test_the_shop_has_what_it_is_said_to_have(database_url: str) -> None:
    config = configured(database_url, options=STILL)
    async with running_host(shop_modules(), config=config) as host:
        async with host.scope() as scope:
            story = await fill(scope, datetime.now(UTC), scale=SCALE)
        client = await host.client("BackgroundJobs.*")

        async def count(query: str) -> int:
            return int((await client.get(f"/api/jobs?{query}")).json()["total_count"])

        states = {
            state: await count(f"state={state}")
            for state in ("Completed", "Failed", "Cancelled", "Skipped", "Running")
        }
        assert states.pop("Running") == sum(RUNNING.values()) == 40
        assert sum(states.values()) == round(201_500 * SCALE)
        assert states["Failed"] == pytest.approx(2_200 * SCALE, abs=12)
        assert len((await client.get("/api/jobs/recurring")).json()) == 61
        types = {each["name"]: each for each in (await client.get("/api/jobs/types")).json()}
        assert len(types) == len(SHARES) == 15
        assert types["shop.NotifyWarehouse"]["due"] == 9
        # What is counted by the hour is what has finished, cancelled jobs and skipped runs apart.
        async with host.scope() as scope, (await scope.get(Database)).reading() as session:
            rows = TYPE_STATISTICS.c
            counted = select(func.sum(rows.completed), func.sum(rows.failed)).where(
                (rows.width == 3600) | (rows.worker != ""),
                rows.start >= story.start.replace(minute=0, second=0, microsecond=0),
            )
            completed, failed = (await (await session.connection()).execute(counted)).one()
        assert (completed, failed) == (states["Completed"], states["Failed"])
        found = (await client.get("/api/jobs/types/shop.GenerateInvoice")).json()
        slow, fast = (each["figures"]["run_p50"] for each in found["versions"][:2])
        assert slow > 2 * fast


def test_it_is_of_the_size_that_it_is_said_to_be() -> None:
    assert sum(cause.count for cause in CAUSES) == 2_200
    assert sum(count for count, _ in BEHIND.values()) + LATER == 3_000
    assert {cause.job for cause in CAUSES} <= {each.job for each in SHARES}
    assert len({type_of(each.job) for each in SHARES}) == 15


def test_a_seed_draws_the_same_shop() -> None:
    drawn = []
    for seed in (1, 1, 2):
        story = Story(NOW, seed)
        runs = Schedules(story).runs[:100]
        drawn.append(plan(story, outage(NOW, UTC), SCALE, runs, []))
    assert drawn[0] == drawn[1] != drawn[2]
    assert outage(NOW, UTC) == NOW.replace(hour=3)
    assert outage(NOW.replace(hour=3, minute=20), UTC) == NOW.replace(hour=3) - timedelta(days=1)


def test_a_database_that_has_jobs_is_left_alone(sqlite_url: str) -> None:
    command = ["--fill-only", "--scale", "0.002", "--port", "0", "--database", sqlite_url]
    filled = CliRunner().invoke(main, command)
    assert filled.exit_code == 0, filled.output
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert "has jobs already: name an empty database." in refused.output


@EXHAUSTIVE
def test_it_is_served_with_workers_that_run_it(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/shop.db"
    command = [sys.executable, "-m", "benchmarks.demo", "--scale", "0.005", "--port", "0"]
    command += ["--database", database]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            link = None
            for line in process.stdout:
                if link := re.search(r"http://\S+/login/once/\S+", line):
                    break
            assert link is not None, process.wait(5)
            with httpx2.Client(follow_redirects=True, timeout=60) as client:
                assert client.get(link[0]).status_code == 200
                address = link[0].partition("/login")[0]
                deadline = time.monotonic() + 60
                # The dead worker is found, and living ones run its jobs.
                while not re.search(
                    r"[1-9]\d* of 88 slots busy", client.get(f"{address}/admin/jobs").text
                ):
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
