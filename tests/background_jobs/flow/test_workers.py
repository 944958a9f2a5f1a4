"""Workers serve queues, keep to what they have room for, and follow limits and pauses at once."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from background_jobs.flow.noted_jobs import (
    InTurns,
    Item,
    Noted,
    OnePerTenant,
    Seen,
    ThreeInAWhile,
    TwoAtATime,
    host,
)
from modhost_background_jobs.contracts import JobState

pytestmark = pytest.mark.anyio


async def test_a_worker_takes_jobs_by_priority(database_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen, mode="Producer") as jobs:
        for number in (0, 5, -5, 50):
            await jobs.scheduling.enqueue(Noted, Item(name=str(number)), priority=number)
    async with host(database_url, seen, max_concurrency=1):
        await seen.until(lambda: len(seen.order) == 4)
    assert seen.order == ["50", "5", "0", "-5"]


@pytest.mark.parametrize(("aging", "first"), [("1h", "old"), ("0s", "new"), ("100d", "new")])
async def test_how_long_a_wait_makes_up_for_priority_is_an_option(
    database_url: str, aging: str, first: str
) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen, mode="Producer") as jobs:
        long_ago = datetime.now(UTC) - timedelta(days=2)
        await jobs.scheduling.schedule(Noted, long_ago, Item(name="old"))
        await jobs.scheduling.enqueue(Noted, Item(name="new"), priority=1)
    async with host(database_url, seen, max_concurrency=1, priority_aging=aging):
        await seen.until(lambda: len(seen.order) == 2)
    assert seen.order[0] == first


async def test_a_worker_serves_the_queues_of_its_option(database_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen, queues=["*", "!bulk"]) as jobs:
        bulk = await jobs.scheduling.enqueue(Noted, Item(name="bulk"), queue="bulk")
        for queue in ("mail", "default"):
            await jobs.scheduling.enqueue(Noted, Item(name=queue), queue=queue)
        await seen.until(lambda: seen.finished.total() == 2)
        assert (await jobs.scheduling.get_status(bulk)).state is JobState.PENDING
    assert set(seen.order) == {"mail", "default"}
    async with host(database_url, seen, queues=["bulk"]) as jobs:
        other = await jobs.scheduling.enqueue(Noted, Item(name="other"))
        await jobs.ends(bulk)
        assert (await jobs.scheduling.get_status(other)).state is JobState.PENDING


async def test_a_queue_takes_no_more_slots_than_its_option_says(database_url: str) -> None:
    seen = Seen()
    async with host(database_url, seen, max_concurrency=6, queue_concurrency={"bulk": 2}) as jobs:
        for _ in range(5):
            await jobs.scheduling.enqueue(Noted, Item(name="bulk", tenant="b"), queue="bulk")
        await seen.until(lambda: len(seen.order) == 2)
        for _ in range(4):
            await jobs.scheduling.enqueue(Noted, Item(name="other", tenant="o"))
        await seen.until(lambda: len(seen.order) == 6)
        assert seen.most == {"b": 2, "o": 4}
        seen.gate.set()
        await seen.until(lambda: seen.finished.total() == 9)
    assert seen.most["b"] == 2


async def test_a_queue_has_its_bound_in_a_worker_with_many_more_slots(database_url: str) -> None:
    seen = Seen()
    options = {"max_concurrency": 200, "queue_concurrency": {"default": 120}}
    async with host(database_url, seen, **options) as jobs:
        await jobs.scheduling.enqueue_many(Noted, [Item(name="some", tenant="s")] * 200)
        await seen.until(lambda: len(seen.order) >= 120)
        await anyio.sleep(0.5)
        assert seen.most == {"s": 120}
        seen.gate.set()
        await seen.until(lambda: seen.finished.total() == 200)
    assert seen.most == {"s": 120}


async def test_jobs_behind_a_limit_start_as_soon_as_one_ends(database_url: str) -> None:
    seen = Seen()
    async with host(database_url, seen, poll_interval="30s") as jobs:
        items = [
            Item(name=f"{tenant}{number}", tenant=tenant, seconds=0.05)
            for tenant in ("a", "b")
            for number in range(6)
        ]
        await jobs.scheduling.enqueue_many(OnePerTenant, items)
        await seen.until(lambda: seen.finished.total() == 12, seconds=20)
    assert seen.most == {"a": 1, "b": 1}
    assert [name for name in seen.order if name[0] == "a"] == [f"a{each}" for each in range(6)]


async def test_two_workers_share_a_limit(database_url: str) -> None:
    seen = Seen()
    async with host(database_url, seen) as jobs, host(database_url, seen):
        for number in range(20):
            await jobs.scheduling.enqueue(TwoAtATime, Item(name=str(number), seconds=0.02))
        await seen.until(lambda: seen.finished.total() == 20, seconds=30)
    assert seen.most == {"": 2}


async def test_a_rate_is_kept_and_used(database_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen, poll_interval="30s") as jobs:
        ids = [
            await jobs.scheduling.enqueue(ThreeInAWhile, Item(name=str(number)))
            for number in range(9)
        ]
        ended = [await jobs.ends(id_) for id_ in ids]
    # By the times of the claims: the first may begin late.
    first, last = (ended[at].started_at for at in (0, 8))
    assert first is not None
    assert last is not None
    assert last - first >= timedelta(seconds=1)
    assert seen.order == [str(number) for number in range(9)]


async def test_a_pause_holds_within_a_second_and_ends_by_itself(database_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen) as jobs:
        await jobs.scheduling.pause_queue("mail")
        await jobs.scheduling.pause_job_type("tests.TwoAtATime")
        await anyio.sleep(1)
        await jobs.scheduling.enqueue(Noted, Item(name="mail"), queue="mail")
        await jobs.scheduling.enqueue(TwoAtATime, Item(name="two"))
        other = await jobs.scheduling.enqueue(Noted, Item(name="other"))
        await jobs.ends(other)
        await anyio.sleep(0.3)
        assert seen.order == ["other"]
        await jobs.scheduling.resume_queue("mail")
        await seen.until(lambda: "mail" in seen.order)
        await jobs.scheduling.resume_job_type("tests.TwoAtATime")
        await seen.until(lambda: "two" in seen.order)


async def test_a_worker_that_had_no_room_keeps_to_a_pause(database_url: str) -> None:
    seen = Seen()
    async with host(database_url, seen, max_concurrency=1) as jobs:
        await jobs.scheduling.enqueue(Noted, Item(name="long"))
        await seen.until(lambda: seen.order == ["long"])
        await anyio.sleep(0.3)
        await jobs.scheduling.enqueue(Noted, Item(name="mail"), queue="mail")
        await jobs.scheduling.pause_queue("mail")
        await anyio.sleep(1)
        seen.gate.set()
        await seen.until(lambda: seen.finished.total() == 1)
        await anyio.sleep(0.3)
        assert seen.order == ["long"]
        await jobs.scheduling.resume_queue("mail")
        await seen.until(lambda: seen.order == ["long", "mail"])


async def test_a_worker_that_starts_keeps_to_a_pause(database_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen, mode="Producer") as jobs:
        await jobs.scheduling.pause_queue("default")
        await jobs.scheduling.enqueue(Noted, Item(name="paused"))
    async with host(database_url, seen) as jobs:
        await anyio.sleep(0.5)
        assert seen.order == []
        await jobs.scheduling.resume_queue("default")
        await seen.until(lambda: seen.order == ["paused"])


async def test_one_tenant_does_not_starve_another(database_url: str) -> None:
    seen = Seen()
    seen.gate.set()
    async with host(database_url, seen, mode="Producer") as jobs:
        many = [Item(name=f"a{number}", tenant="a") for number in range(300)]
        await jobs.scheduling.enqueue_many(InTurns, many)
        await jobs.scheduling.enqueue(InTurns, Item(name="b", tenant="b"))
    async with host(database_url, seen, max_concurrency=1):
        await seen.until(lambda: seen.finished.total() == 301)
    assert seen.order.index("b") <= 1
