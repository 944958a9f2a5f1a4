"""What type checkers accept and refuse of events and those who subscribe to them."""

HEAD = """
from modhost import ServiceCollection
from modhost.events import Event, Events
from modhost_background_jobs.contracts import add_event_job


class ShopEvent(Event):
    order: int


class OrderPlaced(ShopEvent): ...


class OrderSent(ShopEvent): ...


class Index:
    def __init__(self, jobs: BackgroundJobs) -> None: ...
    async def handle(self, event: OrderPlaced) -> None: ...


class Count:
    async def handle(self, event: ShopEvent) -> None: ...


class NoHandle: ...


class PlainHandle:
    def handle(self, event: OrderPlaced) -> None: ...


class Confirm(ModuleJob[OrderPlaced]):
    async def execute(self, context: JobExecutionContext[OrderPlaced]) -> None: ...


class Bill(ModuleJob[ShopEvent, int]):
    async def execute(self, context: JobExecutionContext[ShopEvent]) -> int: return 1


async def note(event: OrderPlaced, jobs: BackgroundJobs) -> None: ...
def note_in_thread(event: ShopEvent) -> None: ...
async def no_event() -> None: ...
placed = OrderPlaced(order=1)
"""

ACCEPTED = """
await events.publish(placed)
await events.publish(placed, session=session)
services.subscribe(OrderPlaced, Index)
services.subscribe(OrderPlaced, Count)
services.subscribe(ShopEvent, Count)
services.subscribe(OrderPlaced, note)
services.subscribe(OrderSent, note_in_thread)
add_event_job(services, OrderPlaced, Confirm)
add_event_job(services, OrderPlaced, Bill)
add_event_job(services, ShopEvent, Bill)
"""

REFUSED = """
await events.publish("placed")
await events.publish(image)
placed.order = 2
services.subscribe(Image, Count)
services.subscribe(OrderSent, Index)
services.subscribe(ShopEvent, Index)
services.subscribe(OrderPlaced, NoHandle)
services.subscribe(OrderPlaced, PlainHandle)
services.subscribe(OrderSent, note)
services.subscribe(OrderPlaced, no_event)
add_event_job(services, Image, Show)
add_event_job(services, OrderPlaced, Show)
add_event_job(services, OrderSent, Confirm)
add_event_job(services, ShopEvent, Confirm)
"""
