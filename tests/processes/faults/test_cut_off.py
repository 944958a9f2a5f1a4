"""The network between a worker and PostgreSQL goes silent: nothing arrives, and no side notices."""

import os
import time
from pathlib import Path

import anyio
import pytest

from background_jobs.postgres_proxy import PostgresProxy
from modhost_background_jobs.contracts import JobState
from processes.acting import GatedJob, QuickJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio

SILENT_SECONDS = float(os.environ.get("MODHOST_TEST_SILENT_SECONDS", "6"))
RETURN_SECONDS = 5


async def test_a_worker_that_was_cut_off_leaves_its_old_jobs_and_takes_others_at_once(
    tmp_path: Path, postgres_url: str
) -> None:
    """It learned after seconds that it was taken for dead, and began nothing for a minute, since
    its connections seemed alive."""
    options = {**QUICK, "max_concurrency": "2"}
    async with (
        PostgresProxy(postgres_url).open() as proxy,
        Deployment(tmp_path / "deployment", postgres_url).producing() as deployment,
    ):
        cut_off = await deployment.start(host__database_url=proxy.url, **options).ready()
        lost = await deployment.enqueue(GatedJob, Act(name="lost"))
        await deployment.marked("started", "lost")
        other = await deployment.start(**{**options, "max_concurrency": "1"}).ready()
        with proxy.silent():
            _, again = await deployment.marked("started", "lost", times=2)
            assert again.process == other.pid
            await anyio.sleep(SILENT_SECONDS)
            await deployment.enqueue(QuickJob, Act(name="next"))
        back_at = time.monotonic()
        (stopped,) = await deployment.marked("stopped", "lost", seconds=RETURN_SECONDS)
        (begun,) = await deployment.marked("started", "next", seconds=RETURN_SECONDS)
        assert time.monotonic() - back_at < RETURN_SECONDS
        assert stopped.process == begun.process == cut_off.pid
        deployment.stage.open_gate("lost", other.pid)
        job = await deployment.ends(lost)
        assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)
