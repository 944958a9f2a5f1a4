"""Running again where the class of the job is unknown: with the keys that are stored."""

from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from background_jobs.flow.unique.feed_jobs import Feed, GatedJob, number
from background_jobs.hosts import jobs_host
from modhost.database import Database
from modhost_background_jobs.client.run_again import Rerunning
from modhost_background_jobs.contracts import Concurrency, Fair, JobState, Unique
from modhost_background_jobs.storage.tables import JOBS

pytestmark = pytest.mark.anyio


class KeptJob(GatedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id")
    concurrency: ClassVar[Any] = Concurrency(2, per="feed_id")
    fair: ClassVar[Fair | None] = Fair(per="note")


class StartedJob(KeptJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id", until="started")


@pytest.mark.parametrize("job", [KeptJob, StartedJob])
async def test_a_job_of_an_unknown_type_keeps_its_keys(
    database_url: str, job: type[GatedJob]
) -> None:
    data = Feed(feed_id=1, note="fails")
    async with jobs_host(database_url, mode="Consumer", more_jobs=(job,)) as jobs:
        jobs.probe.gate.set()
        failed = await jobs.scheduling.enqueue(job, data)
        assert (await jobs.ends(failed, seconds=10)).state is JobState.FAILED
    async with jobs_host(database_url, mode="Producer") as jobs:
        rerunning = await jobs.service(Rerunning)
        again = await rerunning.run_again(failed, data.model_dump_json())
        assert again != failed
        assert await rerunning.run_again(failed, data.model_dump_json()) == again
        columns = select(JOBS.c.lane, JOBS.c.fair_key, JOBS.c.place_at.is_not(None))
        async with (await jobs.service(Database)).reading() as session:
            (row,) = (await (await session.connection()).execute(columns)).all()
        assert row[0].startswith("LF")
        assert row[1:] == ("fails", True)
    async with jobs_host(database_url, mode="Producer", more_jobs=(job,)) as jobs:
        assert await jobs.scheduling.enqueue(job, data) == again
        assert await number(jobs) == 2
