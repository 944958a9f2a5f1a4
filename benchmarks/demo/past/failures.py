"""How jobs of the shop have failed: a few causes, each with its own text, time and place."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from benchmarks.demo import jobs
from benchmarks.demo.jobs import ChargeCard, ShopJob
from benchmarks.demo.shop import Story

OUTAGE_HOUR: Final = 3
OUTAGE_LENGTH: Final = timedelta(minutes=38)


@dataclass(frozen=True)
class Cause:
    """Why jobs of a type fail: `count` of them, with a text that `{}` are numbers in.

    `frames` are the places of its traceback: file, line, function and what stands there.
    """

    job: type[ShopJob]
    count: int
    error: str
    frames: tuple[tuple[str, int, str, str], ...]
    attempts: int = 3
    in_outage: bool = False

    def text(self, story: Story) -> str:
        """Return the error with its traceback."""
        numbers = (story.chance.randrange(1000, 99_999) for _ in range(self.error.count("{}")))
        line = self.error.format(*numbers)
        trace = "".join(
            f'  File "/srv/shop/{file}", line {number}, in {function}\n    {source}\n'
            for file, number, function, source in self.frames
        )
        return f"{line}\n\nTraceback (most recent call last):\n{trace}{line}\n"


_PAYMENT: Final = ("jobs/payments.py", 41, "execute", "await self.gateway.charge(order)")
CAUSES: Final = (
    Cause(
        jobs.ChargeCard,
        900,
        f"ConnectionError: {ChargeCard.error} for order {{}}",
        (_PAYMENT, ("payments/gateway.py", 118, "charge", "connection = await self._connect()")),
        in_outage=True,
    ),
    Cause(
        jobs.ChargeCard,
        420,
        "CardDeclined: the bank declined card ending in {} of order {}",
        (_PAYMENT, ("payments/gateway.py", 131, "charge", "raise CardDeclined(answer.card)")),
        attempts=1,
    ),
    Cause(
        jobs.NotifyWarehouse,
        310,
        "TimeoutError: warehouse.example.com did not answer within 10 s for order {}",
        (
            ("jobs/partners.py", 27, "execute", "await self.warehouse.pack(order)"),
            ("partners/http.py", 64, "post", "raise TimeoutError(self._message(path))"),
        ),
    ),
    Cause(
        jobs.ResizeProductImage,
        190,
        "UnidentifiedImageError: cannot identify picture {}.webp",
        (("jobs/pictures.py", 19, "execute", "picture = Image.open(file)"),),
        attempts=1,
    ),
    Cause(
        jobs.ImportSupplierFeed,
        180,
        "ValueError: record {} has no price",
        (
            ("jobs/suppliers.py", 52, "execute", "await self.store(records)"),
            ("suppliers/records.py", 33, "checked", "raise ValueError(self._without_price)"),
        ),
    ),
    Cause(
        jobs.SyncInventory,
        200,
        "OperationalError: deadlock detected while row {} of stock was updated",
        (
            ("jobs/inventory.py", 38, "execute", "await self.inventory.update(changes)"),
            ("inventory/storage.py", 90, "update", "await connection.execute(statement)"),
        ),
    ),
)
"""Together 2,200."""


def outage(now: datetime, zone: tzinfo) -> datetime:
    """Return when the gateway was away last: at three, by the clock of a zone, an hour ago or more.

    That is today, or yesterday for who asks at night.
    """
    at_three = now.astimezone(zone).replace(hour=OUTAGE_HOUR, minute=0, second=0, microsecond=0)
    while at_three > now - timedelta(hours=1):
        at_three -= timedelta(days=1)
    return at_three
