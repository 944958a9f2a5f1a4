"""Subscribers of every kind that Python can call, and publishers in threads."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest

from modhost import Module, ServiceCollection, hookimpl
from modhost.calls.own_loop import WrongEventLoop
from modhost.events import Events
from modhost.testing import running_host
from runtime.events.shop import Counts, OrderPlaced, Seen, Shop, Stock, note, shop_with

pytestmark = pytest.mark.anyio

ONE = OrderPlaced(order="one")


async def say(event: OrderPlaced, seen: Seen, word: str = "said") -> None:
    seen.notes.append(f"{word} {event.order}")


class Callee:
    async def __call__(self, event: OrderPlaced, seen: Seen) -> None:
        seen.notes.append(f"called {event.order}")


class Holder:
    async def method(self, event: OrderPlaced, seen: Seen) -> None:
        seen.notes.append(f"held {event.order}")


def decorated(function: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Awaitable[None]:
        return function(*arguments, **options)

    return call


@pytest.mark.parametrize(
    ("subscriber", "noted"),
    [
        (say, "said one"),
        (functools.partial(say, word="shouted"), "shouted one"),
        (Callee(), "called one"),
        (Holder().method, "held one"),
        (decorated(say), "said one"),
        (note, "noted one"),
    ],
)
async def test_whatever_can_be_called_may_subscribe(subscriber: object, noted: str) -> None:
    async with shop_with((OrderPlaced, subscriber)) as shop:
        await shop.publish(ONE)
        await shop.seen.until(noted)


async def test_a_class_that_is_registered_already_is_taken_as_it_is() -> None:
    class Once(Counts):
        made = 0

        def __init__(self, seen: Seen) -> None:
            super().__init__(seen)
            type(self).made += 1

    class Registers(Module):
        name = "registers"

        @hookimpl
        def configure_services(self, services: ServiceCollection) -> None:
            services.add_singleton(Once)

    class Early(Stock):
        requires = ("shop", "registers")

    stock = Early((OrderPlaced, Once))
    async with running_host([Shop(), Registers(), stock]) as host:
        async with host.scope() as scope:
            events = await scope.get(Events)
        await events.publish(ONE)
        await events.publish(ONE)
        await stock.seen.until("counted one", "counted one")
    assert Once.made == 1


async def test_code_in_a_thread_publishes_on_the_loop_of_the_host() -> None:
    async with shop_with((OrderPlaced, note)) as shop:

        def publish() -> None:
            anyio.from_thread.run(shop.publish, ONE)

        await anyio.to_thread.run_sync(publish)
        await shop.seen.until("noted one")

        def publish_elsewhere() -> None:
            with pytest.raises(WrongEventLoop, match="dispatcher of events belongs to the event"):
                asyncio.run(shop.publish(ONE))

        await anyio.to_thread.run_sync(publish_elsewhere)
