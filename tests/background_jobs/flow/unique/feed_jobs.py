"""Jobs of which one of a feed is enough, in every way to say so."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, SecretStr

from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import Probe, ProbedJob
from modhost_background_jobs.contracts import JobExecutionContext, JobFilter, Unique


class Feed(BaseModel):
    feed_id: int
    note: str = ""
    token: SecretStr = SecretStr("none")


class GatedJob(ProbedJob):
    """A job that runs until the gate opens."""

    data_model: ClassVar[Any] = Feed

    async def execute(self, context: JobExecutionContext) -> None:
        feed = context.get_data(Feed)
        self.probe.started[feed.note] += 1
        await self.probe.gate.wait()
        if feed.note == "fails":
            raise ZeroDivisionError


class KeptJob(GatedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id")


class WholeJob(GatedJob):
    unique: ClassVar[Unique | None] = Unique()


class ReplacedJob(GatedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id", on_conflict="replace")


class StartedJob(GatedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id", until="started")


class HourlyJob(GatedJob):
    unique: ClassVar[Unique | None] = Unique(per="feed_id", until=timedelta(hours=1))


class DebouncedJob(GatedJob):
    unique: ClassVar[Unique | None] = Unique(
        per="feed_id", until=timedelta(hours=1), on_conflict="replace"
    )


ALL = (KeptJob, WholeJob, ReplacedJob, StartedJob, HourlyJob, DebouncedJob)


def host(
    database_url: str, probe: Probe | None = None, mode: str = "Producer", **options: Any
) -> AbstractAsyncContextManager[Jobs]:
    return jobs_host(database_url, probe, mode=mode, more_jobs=ALL, **options)


async def number(jobs: Jobs) -> int:
    return len((await jobs.querying.get_jobs(JobFilter(page_size=100))).items)
