"""One of three hosts has a clock that is an hour off: it runs jobs, and decides nothing for others.

On SQLite the two others are needed: of two clocks nobody knows which one is right.
"""

import re
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from sqlalchemy import update

from modhost_background_jobs.contracts import JobFilter, JobState
from modhost_background_jobs.storage.tables import SCHEDULES
from processes.acting import GatedJob, QuickJob
from processes.deployment import Deployment
from processes.host_process import HostProcess
from processes.stage import Act
from sweeps import swept

pytestmark = pytest.mark.anyio

AHEAD, BEHIND = ("3600", "ahead of"), ("-3600", "behind")
HEARTBEAT_SECONDS = 2.0
"""On SQLite a host whose heartbeats are late does not count, and then nobody knows who is right."""
OPTIONS = {
    "heartbeat_interval": f"{HEARTBEAT_SECONDS}s",
    "stall_timeout": "20s",
    "stall_sweep_interval": "200ms",
    "poll_interval": "200ms",
    "retention": "10m",
    "max_concurrency": "2",
}
DIFFERS = (
    r"The clock of this host is (3\d{3}) s %s the .*\. It fires no schedules and deletes no history"
)


async def runs(deployment: Deployment) -> list[datetime | None]:
    """Return the due times of the runs that there are."""
    found = await deployment.jobs.querying.get_jobs(JobFilter(job_type="acting.QuickJob"))
    details = [await deployment.detail(each.id) for each in found.items]
    return [each.due_at for each in details if each.due_at is not None]


async def make_due(deployment: Deployment, name: str) -> datetime:
    """Let a schedule be due, as by a right clock, and return since when."""
    due_at = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=30)
    async with deployment.database.session() as session:
        change = update(SCHEDULES).where(SCHEDULES.c.name == name).values(next_run_at=due_at)
        await (await session.connection()).execute(change)
    return due_at


async def holds_a_job(deployment: Deployment, worker: HostProcess) -> str:
    """Let a worker take a job that waits for its gate, and return its name."""
    name = ""
    while not name or deployment.marks("started", name)[0].process != worker.pid:
        name = f"held-{len(deployment.marks('started'))}"
        await deployment.enqueue(GatedJob, Act(name=name))
        await deployment.marked("started", name)
    return name


@pytest.mark.parametrize(
    ("database_url", "ahead", "word"),
    swept(
        [(each, *wrong) for each in ("sqlite", "postgresql") for wrong in (AHEAD, BEHIND)],
        always=[("sqlite", *BEHIND), ("postgresql", *AHEAD)],
    ),
    indirect=["database_url"],
)
async def test_it_fires_rescues_and_deletes_nothing_while_the_others_continue(
    deployment: Deployment, ahead: str, word: str
) -> None:
    is_postgres = deployment.database.url.startswith("postgresql")
    right = [deployment.start(**OPTIONS) for _ in range(2)]
    await deployment.ready(*right)
    kept = await deployment.ends(await deployment.enqueue(QuickJob, Act(name="kept")))
    held = await holds_a_job(deployment, right[0])

    wrong = await deployment.start(ahead=ahead, **OPTIONS).ready()
    await wrong.logs(DIFFERS % word)
    # With a file it goes by the heartbeats of the others once two of each have differed.
    await anyio.sleep(3 * HEARTBEAT_SECONDS)
    soon = datetime.now(UTC) + timedelta(minutes=30)
    expression = f"{soon.minute} {soon.hour} * * *"
    for name in ("later", "due"):
        data = Act(name=name)
        await deployment.jobs.scheduling.add_recurring(
            QuickJob, data=data, name=name, cron_expression=expression
        )
    deferred = await deployment.jobs.scheduling.schedule(QuickJob, soon, Act(name="deferred"))
    fired = await make_due(deployment, "due")
    await deployment.marked("started", "due")
    doctor = deployment.start("doctor", ahead=ahead, **OPTIONS)
    assert await doctor.exit_code() == int(is_postgres), doctor.log
    assert "MH611" in doctor.log
    assert ("MH507" in doctor.log) is is_postgres

    client = await deployment.jobs.host.client("BackgroundJobs.ViewJobs")
    assert "The clock of the worker" in (await client.get("/admin/jobs")).text
    own = await holds_a_job(deployment, wrong)
    await anyio.sleep(HEARTBEAT_SECONDS)
    assert await runs(deployment) == [fired]
    assert (await deployment.detail(kept.id)).state is JobState.COMPLETED
    for name in (held, own):
        assert len(deployment.marks("started", name)) == 1
    assert (await deployment.detail(deferred)).state is JobState.PENDING
    for process in (*right, wrong):
        assert not re.search("dead|Traceback", process.log), process.log
    for process in right:
        assert "The clock of this host" not in process.log
