"""Who gets an event, and when: after the commit of what it is about, and never without one."""

from collections.abc import Awaitable, Callable

import anyio
import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.caller import ActingFor, Caller, current_caller
from modhost.events import Event, UndeclaredEvent
from runtime.events.shop import (
    Counts,
    OrderCancelled,
    OrderPlaced,
    Paid,
    RunningShop,
    Seen,
    ShopEvent,
    note,
    shop_with,
)

pytestmark = pytest.mark.anyio

ONE = OrderPlaced(order="one")
TWO = OrderPlaced(order="two")
Published = Callable[[RunningShop, AsyncSession], Awaitable[None]]


class GivenUp(Exception):
    pass


async def test_each_subscriber_gets_its_event_and_those_of_classes_below() -> None:
    both = (OrderPlaced, Counts), (ShopEvent, note)
    async with shop_with(*both) as shop:
        await shop.publish(ONE)
        await shop.publish(OrderCancelled(order="two"))
        await shop.seen.until("counted one", "noted one", "noted two")


async def test_a_class_may_subscribe_to_all_events_and_to_several() -> None:
    class All:
        def __init__(self, seen: Seen) -> None:
            self.seen = seen

        async def handle(self, event: OrderPlaced | OrderCancelled) -> None:
            self.seen.notes.append(type(event).__name__)

    async def every(event: Event, seen: Seen) -> None:
        seen.notes.append(f"any {type(event).__name__}")

    async with shop_with((OrderPlaced, All), (OrderCancelled, All), (Event, every)) as shop:
        await shop.publish(ONE)
        await shop.publish(OrderCancelled(order="two"))
        await shop.seen.until(
            "OrderPlaced", "OrderCancelled", "any OrderPlaced", "any OrderCancelled"
        )


async def test_subscribers_run_after_the_commit(database_url: str) -> None:
    async with shop_with((OrderPlaced, note), database_url=database_url) as shop:
        async with shop.database.session() as session:
            await shop.publish(ONE, session=session)
            await session.exec(text("SELECT 1"))  # type: ignore[call-overload]
            await anyio.sleep(0.05)
            assert shop.seen.notes == []
        await shop.seen.until("noted one")


async def rolled_back(shop: RunningShop, session: AsyncSession) -> None:
    await shop.publish(ONE, session=session)
    raise GivenUp


async def rolled_back_and_used_again(shop: RunningShop, session: AsyncSession) -> None:
    await shop.publish(ONE, session=session)
    await session.rollback()


async def rolled_back_after_a_savepoint(shop: RunningShop, session: AsyncSession) -> None:
    async with session.begin_nested():
        await shop.publish(ONE, session=session)
    raise GivenUp


async def rolled_back_to_a_savepoint(shop: RunningShop, session: AsyncSession) -> None:
    savepoint = await session.begin_nested()
    async with session.begin_nested():
        await shop.publish(ONE, session=session)
    await savepoint.rollback()


@pytest.mark.parametrize(
    "publish",
    [
        rolled_back,
        rolled_back_and_used_again,
        rolled_back_after_a_savepoint,
        rolled_back_to_a_savepoint,
    ],
)
async def test_what_is_rolled_back_reaches_nobody(database_url: str, publish: Published) -> None:
    async with shop_with((OrderPlaced, note), database_url=database_url) as shop:
        try:
            async with shop.database.session() as session:
                await publish(shop, session)
        except GivenUp:
            pass
        async with shop.database.session() as session:
            await shop.publish(TWO, session=session)
        await shop.seen.until("noted two")
        await anyio.sleep(0.05)
        assert shop.seen.notes == ["noted two"]


async def test_a_savepoint_that_is_released_waits_for_the_commit(database_url: str) -> None:
    async with shop_with((OrderPlaced, note), database_url=database_url) as shop:
        async with shop.database.session() as session:
            async with session.begin_nested():
                await shop.publish(ONE, session=session)
            await anyio.sleep(0.05)
            assert shop.seen.notes == []
            await session.commit()
            await shop.publish(TWO, session=session)
            await shop.seen.until("noted one")
        await shop.seen.until("noted one", "noted two")


async def test_a_subscriber_may_write_while_the_publisher_still_has_its_session(
    database_url: str,
) -> None:
    async with shop_with(database_url=database_url) as without:
        database = without.database

        async def write(event: OrderPlaced, seen: Seen) -> None:
            async with database.session() as session:
                await session.exec(text("SELECT 1"))  # type: ignore[call-overload]
            seen.notes.append(f"wrote {event.order}")

        async with shop_with((OrderPlaced, write)) as shop:
            async with database.session() as session:
                await shop.publish(ONE, session=session)
                await session.commit()
                await anyio.sleep(0.05)
            await shop.seen.until("wrote one")


async def test_a_subscriber_acts_for_whom_the_event_was_published() -> None:
    async def ask(event: OrderPlaced, seen: Seen) -> None:
        seen.notes.append((await current_caller()).id)

    async with shop_with((OrderPlaced, ask)) as shop:
        with ActingFor(Caller("user", "user:vera", "vera")):
            await shop.publish(ONE)
        await shop.seen.until("user:vera")


async def test_an_event_that_no_module_declares_is_refused() -> None:
    async with shop_with((OrderPlaced, note)) as shop:
        with pytest.raises(UndeclaredEvent, match="Paid is published, and no module names it"):
            await shop.publish(Paid())


async def test_without_subscribers_a_session_is_left_alone(database_url: str) -> None:
    async with shop_with((OrderCancelled, note), database_url=database_url) as shop:
        async with shop.database.session() as session:
            await shop.publish(ONE, session=session)
            assert not session.in_transaction()
            assert not session.info
            assert not session.sync_session.dispatch.after_commit
            assert "modhost.events" in hosted_by(shop)
    async with shop_with() as shop:
        assert "modhost.events" not in hosted_by(shop)


def hosted_by(shop: RunningShop) -> list[str]:
    supervisor = shop.host.host.supervisor
    assert supervisor is not None
    return [each.name for each in supervisor.report()]
