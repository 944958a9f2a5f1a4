"""Two modules: a shop that publishes what happens, and a stock that subscribes to it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import anyio

from modhost import Module, ServiceCollection, hookimpl
from modhost.database import Database
from modhost.events import Event, Events
from modhost.testing import RunningHost, running_host


class ShopEvent(Event):
    order: str


class OrderPlaced(ShopEvent):
    pass


class OrderCancelled(ShopEvent):
    pass


class Paid(Event):
    """An event that no module publishes."""


class Seen:
    """What subscribers were given, in turn."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.gate = anyio.Event()

    async def until(self, *notes: str, seconds: float = 20) -> None:
        with anyio.fail_after(seconds):
            while sorted(self.notes) != sorted(notes):
                await anyio.sleep(0.005)


class Shop(Module):
    name: ClassVar[str] = "shop"
    publishes: ClassVar[tuple[type[Event], ...]] = (OrderPlaced, OrderCancelled)


class Stock(Module):
    """Subscribes with what a test gives it."""

    name: ClassVar[str] = "stock"
    requires: ClassVar[tuple[str, ...]] = ("shop",)

    def __init__(self, *subscribed: tuple[Any, Any]) -> None:
        self.seen = Seen()
        self.subscribed: Sequence[tuple[Any, Any]] = subscribed

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_instance(Seen, self.seen)
        for event, subscriber in self.subscribed:
            services.subscribe(event, subscriber)


class Counts:
    """A subscriber with a service of its own."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def handle(self, event: OrderPlaced) -> None:
        self.seen.notes.append(f"counted {event.order}")


async def note(event: ShopEvent, seen: Seen) -> None:
    seen.notes.append(f"noted {event.order}")


class RunningShop:
    def __init__(self, host: RunningHost, events: Events, database: Database, seen: Seen) -> None:
        self.host = host
        self.publish: Callable[..., Any] = events.publish
        self.database = database
        self.seen = seen


@asynccontextmanager
async def shop_with(
    *subscribed: tuple[Any, Any], database_url: str | None = None, **options: Any
) -> AsyncIterator[RunningShop]:
    """Run a host of both modules; the options are those of `[host]`."""
    stock = Stock(*subscribed)
    config: Mapping[str, Any] = {"host": {**options}}
    if database_url is not None:
        config["host"]["database_url"] = database_url
    async with running_host([Shop(), stock], config=config) as host:
        async with host.scope() as scope:
            yield RunningShop(host, await scope.get(Events), await scope.get(Database), stock.seen)
