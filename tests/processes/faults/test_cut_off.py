"""The network between a worker and PostgreSQL goes silent: nothing arrives, and no side notices."""

import os
import time
from pathlib import Path

import anyio
import pytest

from background_jobs.postgres_proxy import PostgresProxy
from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from processes.acting import GatedJob, QuickJob
from processes.deployment import QUICK, Deployment
from processes.stage import Act

pytestmark = pytest.mark.anyio

SILENT_SECONDS = float(os.environ.get("MODHOST_TEST_SILENT_SECONDS", "6"))
RETURN_SECONDS = 20


@pytest.mark.parametrize("slots", [1, 2])
async def test_a_worker_that_was_cut_off_leaves_its_old_jobs_and_takes_others_at_once(
    tmp_path: Path, postgres_url: str, slots: int
) -> None:
    """It learned after seconds that it was taken for dead, and began nothing for a minute, since
    its connections seemed alive."""
    # No sweeper takes a worker for dead that only stutters: the test says when it is.
    options = {**QUICK, "stall_timeout": "60s", "max_concurrency": f"{slots}"}
    async with (
        PostgresProxy(postgres_url).open() as proxy,
        Deployment(tmp_path / "deployment", postgres_url).producing() as deployment,
    ):
        cut_off = await deployment.start(host__database_url=proxy.url, **options).ready()
        lost = await deployment.enqueue(GatedJob, Act(name="lost"))
        await deployment.marked("started", "lost")
        other = await deployment.start(**{**options, "max_concurrency": "1"}).ready()
        with proxy.silent():
            await deployment.take_for_dead(cut_off)
            _, again = await deployment.marked("started", "lost", times=2)
            assert again.process == other.pid
            if slots == 1:
                # Its job finishes meanwhile, and keeps the only slot until that can be stored.
                deployment.stage.open_gate("lost", cut_off.pid)
                await deployment.marked("finished", "lost")
            await anyio.sleep(SILENT_SECONDS)
            await deployment.enqueue(QuickJob, Act(name="next"))
        back_at = time.monotonic()
        if slots == 2:
            (stopped,) = await deployment.marked("stopped", "lost", seconds=RETURN_SECONDS)
            assert stopped.process == cut_off.pid
        (begun,) = await deployment.marked("started", "next", seconds=RETURN_SECONDS)
        assert time.monotonic() - back_at < RETURN_SECONDS
        assert begun.process == cut_off.pid
        deployment.stage.open_gate("lost", other.pid)
        job = await deployment.ends(lost)
        assert (job.state, job.retry_count) == (JobState.COMPLETED, 0)


async def test_a_machine_that_vanishes_in_a_transaction_holds_up_no_rescue_but_its_own(
    tmp_path: Path, postgres_url: str
) -> None:
    """Its locks stayed for two hours, and each sweep waited for the first of them: no dead worker
    was rescued any more."""
    options = {"heartbeat_interval": "500ms", "stall_timeout": "3s", "stall_sweep_interval": "1s"}
    async with (
        PostgresProxy(postgres_url).open() as proxy,
        Deployment(tmp_path / "deployment", postgres_url).producing() as deployment,
    ):
        jobs = {}
        vanishing = []
        for name in ("locked", "free"):
            worker = deployment.start(host__database_url=proxy.url, **options, max_concurrency="1")
            vanishing.append(await worker.ready())
            jobs[name] = await deployment.enqueue(GatedJob, Act(name=name))
            await deployment.marked("started", name)
        # Between two statements of a transaction of the first worker.
        transaction = await Database(proxy.url).postgres.connect()
        await transaction.execute("BEGIN")
        await transaction.execute(
            "SELECT 1 FROM background_jobs.jobs j JOIN background_jobs.workers w "
            f"ON w.name = j.worker WHERE j.id = '{jobs['locked']}' FOR UPDATE"
        )
        other = await deployment.start(**options, max_concurrency="2").ready()
        with proxy.silent():
            _, free = await deployment.marked("started", "free", times=2, seconds=9)
            _, locked = await deployment.marked("started", "locked", times=2, seconds=25)
            assert free.process == locked.process == other.pid
            for worker in vanishing:
                worker.kill()
        transaction.terminate()
