"""Durable subscribers: a job for each event, exactly when the publisher's transaction commits."""

from pathlib import Path

import anyio
import pytest
from sqlmodel import select

from background_jobs.events.subscribing import (
    Apart,
    Bill,
    Confirm,
    Orders,
    Place,
    PlaceApart,
    Subscribing,
    orders_with,
)
from modhost.caller import ActingFor, Caller
from modhost_background_jobs.contracts import InvalidJobData, JobState
from modhost_background_jobs.storage.tables import Job
from runtime.events.shop import OrderCancelled, OrderPlaced, ShopEvent, note

pytestmark = pytest.mark.anyio

ONE = OrderPlaced(order="one")
BOTH = (OrderPlaced, Confirm), (ShopEvent, Bill)


@pytest.mark.parametrize("has_session", [True, False])
async def test_each_subscriber_gets_a_job_with_the_event(
    database_url: str, has_session: bool
) -> None:
    async with orders_with(database_url, Subscribing(*BOTH)) as orders:
        if has_session:
            async with orders.database.session() as session:
                await orders.publish(ONE, session)
        else:
            await orders.publish(ONE)
        await orders.publish(OrderCancelled(order="two"))
        assert await orders.logged() == [
            "billed ShopEvent one",
            "billed ShopEvent two",
            "confirmed one",
        ]


async def test_a_transaction_that_rolls_back_leaves_no_job(database_url: str) -> None:
    module = Subscribing(*BOTH, subscribed=[(OrderPlaced, note)])
    async with orders_with(database_url, module, mode="Producer") as orders:
        async with orders.database.session() as session:
            await orders.publish(ONE, session)
            await session.rollback()
        async with orders.database.session() as session:
            savepoint = await session.begin_nested()
            await orders.publish(ONE, session)
            await savepoint.rollback()
        assert await orders.all() == []
        await _nothing_comes_before_another(orders, module)


async def test_an_event_that_cannot_be_stored_for_one_reaches_nobody(database_url: str) -> None:
    module = Subscribing(*BOTH, subscribed=[(OrderPlaced, note)])
    small = {"max_data_size": 1000}
    async with orders_with(database_url, module, mode="Producer", **small) as orders:
        with pytest.raises(InvalidJobData, match="max_data_size"):
            await orders.publish(OrderPlaced(order="x" * 2000))
        assert await orders.all() == []
        await _nothing_comes_before_another(orders, module)


async def test_its_class_decides_on_the_job_and_its_caller_is_the_publisher(
    database_url: str,
) -> None:
    async with orders_with(database_url, Subscribing(*BOTH), mode="Producer") as orders:
        with ActingFor(Caller("user", "user:vera", "vera")):
            await orders.publish(ONE)
            await orders.publish(ONE)
        # `Bill` is there once for an order.
        assert sorted(job.job_type for job in await orders.all()) == [
            *("subscribing.Bill", "subscribing.Confirm", "subscribing.Confirm")
        ]
        async with orders.database.reading() as session:
            assert {each.enqueued_by for each in await session.exec(select(Job))} == {"user:vera"}


async def test_a_job_publishes_in_a_step_exactly_once(database_url: str) -> None:
    module = Subscribing((OrderPlaced, Confirm), subscribed=[(OrderPlaced, note)])
    async with orders_with(database_url, module) as orders:
        job_id = await orders.jobs.scheduling.enqueue(Place, ONE)
        job = await orders.jobs.ends(job_id)
        assert (job.state, len(job.attempts)) == (JobState.COMPLETED, 3)
        assert await orders.logged() == ["confirmed one"]
        await module.seen.until("noted one")
        assert len(await orders.all("Confirm")) == 1


async def test_a_job_in_a_process_of_its_own_publishes_there(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with orders_with(sqlite_url, Apart()) as orders:
        touched = str(tmp_path / "touched")
        job_id = await orders.jobs.scheduling.enqueue(PlaceApart, OrderPlaced(order=touched))
        job = await orders.jobs.ends(job_id)
        assert job.state is JobState.COMPLETED, job.error
        assert await orders.logged() == [f"confirmed {touched}"]
        with anyio.fail_after(20):
            while not await anyio.Path(touched).exists():
                await anyio.sleep(0.02)


async def _nothing_comes_before_another(orders: Orders, module: Subscribing) -> None:
    """Events come in the order in which they were published."""
    await orders.publish(OrderPlaced(order="last"))
    await module.seen.until("noted last")
    assert module.seen.notes == ["noted last"]
