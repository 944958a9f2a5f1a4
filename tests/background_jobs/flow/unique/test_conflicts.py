"""A job that is unique is not there twice, whoever enqueues it, and however often."""

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr
from sqlmodel.ext.asyncio.session import AsyncSession

from background_jobs.flow.unique.feed_jobs import (
    ALL,
    DebouncedJob,
    Feed,
    GatedJob,
    HourlyJob,
    KeptJob,
    ReplacedJob,
    StartedJob,
    WholeJob,
    host,
    number,
)
from background_jobs.jobs_module import Probe
from modhost import new_id
from modhost.database import Database
from modhost_background_jobs.contracts import (
    InvalidJobData,
    JobId,
    JobState,
)

pytestmark = pytest.mark.anyio

LATER = datetime(2040, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("job", ALL)
async def test_a_second_one_is_the_first(database_url: str, job: type[GatedJob]) -> None:
    async with host(database_url) as jobs:
        first = await jobs.scheduling.enqueue(job, Feed(feed_id=1))
        assert await jobs.scheduling.enqueue(job, Feed(feed_id=1)) == first
        assert await jobs.scheduling.schedule(job, LATER, Feed(feed_id=1)) == first
        assert await jobs.scheduling.enqueue(job, Feed(feed_id=2)) != first
        assert await number(jobs) == 2


async def test_the_whole_data_and_secrets_make_jobs_differ(database_url: str) -> None:
    async with host(database_url) as jobs:
        enqueue = jobs.scheduling.enqueue
        first = await enqueue(WholeJob, Feed(feed_id=1, note="a"))
        assert await enqueue(WholeJob, {"note": "a", "feed_id": 1}) == first
        assert await enqueue(WholeJob, Feed(feed_id=1, note="b")) != first
        assert await enqueue(WholeJob, Feed(feed_id=1, note="a", token=SecretStr("x"))) != first
        assert await enqueue(WholeJob, Feed(note="a", feed_id=1)) == first


async def test_types_do_not_share_their_keys(database_url: str) -> None:
    async with host(database_url) as jobs:
        ids = {await jobs.scheduling.enqueue(job, Feed(feed_id=1)) for job in ALL}
        assert len(ids) == len(ALL)


@pytest.mark.parametrize("job", ALL)
async def test_within_one_call_items_of_a_key_are_one_job(
    database_url: str, job: type[GatedJob]
) -> None:
    async with host(database_url) as jobs:
        notes = ["first", "second"] if job is not WholeJob else ["same", "same"]
        items = [Feed(feed_id=id_, note=note) for note in notes for id_ in (1, 2, 3)]
        ids = await jobs.scheduling.enqueue_many(job, items)
        assert ids[:3] == ids[3:]
        assert len(set(ids)) == await number(jobs) == 3
        data = (await jobs.detail(ids[0])).data
        replaces = job.unique is not None and job.unique.on_conflict == "replace"
        assert isinstance(data, dict)
        assert data["note"] == (notes[-1] if replaces else notes[0])


async def test_a_conflict_that_keeps_changes_nothing(database_url: str) -> None:
    async with host(database_url) as jobs:
        first = await jobs.scheduling.schedule(KeptJob, LATER, Feed(feed_id=1, note="a"))
        before = await jobs.detail(first)
        await jobs.scheduling.enqueue(
            KeptJob, Feed(feed_id=1, note="b"), queue="other", priority=5, tags=["x"]
        )
        assert await jobs.detail(first) == before


@pytest.mark.parametrize("job", [ReplacedJob, DebouncedJob])
async def test_a_conflict_that_replaces_gives_the_pending_one_what_is_new(
    database_url: str, job: type[GatedJob]
) -> None:
    """Debouncing: each call puts the one job off."""
    async with host(database_url) as jobs:
        first = await jobs.scheduling.enqueue(job, Feed(feed_id=1, note="x" * 20_000))
        for note in ("b", "y" * 20_000, "c"):
            again = await jobs.scheduling.schedule(
                job, LATER, Feed(feed_id=1, note=note), queue="q", priority=5, tags=["t"]
            )
            assert again == first
        detail = await jobs.detail(first)
        assert isinstance(detail.data, dict)
        assert (detail.data["note"], detail.execute_at) == ("c", LATER)
        assert await number(jobs) == 1


@pytest.mark.parametrize(("job", "is_new"), [(KeptJob, False), (ReplacedJob, False)])
async def test_a_running_one_is_never_changed(
    database_url: str, job: type[GatedJob], is_new: bool
) -> None:
    probe = Probe()
    async with host(database_url, probe, "Consumer") as jobs:
        first = await jobs.scheduling.enqueue(job, Feed(feed_id=1, note="a"))
        before = await jobs.reaches(first, JobState.RUNNING)
        second = await jobs.scheduling.enqueue(job, Feed(feed_id=1, note="b"), priority=7)
        assert (second != first) == is_new
        after = await jobs.detail(first)
        assert (after.data, after.started_at) == (before.data, before.started_at)
        probe.gate.set()
        await jobs.ends(first)
        third = await jobs.scheduling.enqueue(job, Feed(feed_id=1, note="c"))
        assert third != first
        await jobs.ends(third)
        assert probe.started == {"a": 1, "c": 1}


async def test_one_that_is_unique_until_it_starts_lets_another_wait(database_url: str) -> None:
    probe = Probe()
    async with host(database_url, probe, "Consumer", max_concurrency=1) as jobs:
        first = await jobs.scheduling.enqueue(StartedJob, Feed(feed_id=1, note="a"))
        await jobs.reaches(first, JobState.RUNNING)
        second = await jobs.scheduling.enqueue(StartedJob, Feed(feed_id=1, note="b"))
        assert second != first
        assert await jobs.scheduling.enqueue(StartedJob, Feed(feed_id=1, note="c")) == second
        probe.gate.set()
        await jobs.ends(first)
        await jobs.ends(second)


async def test_a_cancelled_one_makes_room(database_url: str) -> None:
    async with host(database_url) as jobs:
        first = await jobs.scheduling.enqueue(KeptJob, Feed(feed_id=1))
        await jobs.scheduling.cancel(first)
        assert await jobs.scheduling.enqueue(KeptJob, Feed(feed_id=1)) != first


async def test_an_enqueue_that_is_rolled_back_takes_no_key(database_url: str) -> None:
    async with host(database_url) as jobs:
        database = await jobs.service(Database)

        async def enqueue_and_fail(session: AsyncSession, job: type[GatedJob]) -> None:
            await jobs.scheduling.enqueue(job, Feed(feed_id=1), session=session)
            raise ZeroDivisionError

        for job in ALL:
            with pytest.raises(ZeroDivisionError):
                async with database.session() as session:
                    await enqueue_and_fail(session, job)
        assert await number(jobs) == 0
        async with database.session() as session:
            first = await jobs.scheduling.enqueue(KeptJob, Feed(feed_id=1), session=session)
            second = await jobs.scheduling.enqueue(KeptJob, Feed(feed_id=1), session=session)
        assert first == second
        assert await number(jobs) == 1


async def test_an_id_of_ones_own_is_for_a_job_and_the_key_for_another(database_url: str) -> None:
    async with host(database_url) as jobs:
        for job in ALL:
            id_ = JobId(new_id())
            for _ in range(2):
                assert await jobs.scheduling.enqueue(job, Feed(feed_id=1), job_id=id_) == id_
            other = JobId(new_id())
            assert await jobs.scheduling.enqueue(job, Feed(feed_id=1), job_id=other) == id_
            assert await jobs.scheduling.get_status(other) is None
            # The id stands for its job, whatever the data.
            assert await jobs.scheduling.enqueue(job, Feed(feed_id=9), job_id=id_) == id_
            wrong = KeptJob if job is not KeptJob else WholeJob
            with pytest.raises(InvalidJobData):
                await jobs.scheduling.enqueue(wrong, Feed(feed_id=77), job_id=id_)
        assert await number(jobs) == len(ALL)


async def test_a_period_holds_whatever_becomes_of_the_job(database_url: str) -> None:
    probe = Probe()
    probe.gate.set()
    async with host(database_url, probe, "Consumer") as jobs:
        first = await jobs.scheduling.enqueue(HourlyJob, Feed(feed_id=1))
        await jobs.ends(first)
        assert await jobs.scheduling.enqueue(HourlyJob, Feed(feed_id=1)) == first
