"""A process that publishes an event, and is killed just before or just after the commit.

python -m processes.publishing.publisher DATABASE_URL before|after
"""

import os
import signal
import sys
from typing import Any

import anyio
from sqlalchemy import Engine, event

from background_jobs.events.subscribing import Bill, Confirm, Subscribing, orders_with
from runtime.events.shop import OrderPlaced, ShopEvent


def subscribing() -> Subscribing:
    return Subscribing((OrderPlaced, Confirm), (ShopEvent, Bill))


async def main(database_url: str, when: str) -> None:
    async with orders_with(database_url, subscribing(), mode="Producer") as orders:
        async with orders.database.session() as session:
            await orders.publish(OrderPlaced(order=when), session)
            if when == "before":
                event.listen(Engine, "commit", _die)
            else:
                event.listen(session.sync_session, "after_commit", _die)


def _die(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2])
