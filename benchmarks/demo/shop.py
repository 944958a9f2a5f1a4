"""The past of the shop: how often jobs of a type come, how long they take, how they fail.

All of it is drawn by a seed, and relative to one moment: the time of the command.
"""

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from benchmarks.demo import jobs
from benchmarks.demo.jobs import Batch, BatchJob, Order, ShopJob

MODULE: Final = "shop"
MODULE_VERSION: Final = "4.2.0"
FINISHED: Final = 201_500
LENGTH: Final = timedelta(days=6.5)
"""Of the past: within the default of retention, so that nothing of it is deleted at once."""
VERSIONS: Final = ("2026.11.3", "2026.11.4")
DEPLOYED: Final = timedelta(hours=17)
"""How long ago the second version was deployed."""
SLOWED_DOWN: Final = jobs.GenerateInvoice
SLOWER: Final = 3.4
CUSTOMERS: Final = (10_000, 10_400)
SOURCES: Final = ("north", "south", "east", "west", "harbour", "airport")


@dataclass(frozen=True)
class Share:
    """How much of the work is of a type, how long its jobs wait and run, in seconds."""

    job: type[ShopJob]
    weight: float
    wait: float
    run: float


SHARES: Final = (
    Share(jobs.ChargeCard, 13, 0.2, 1.8),
    Share(jobs.RefundPayment, 1.2, 0.2, 2.2),
    Share(jobs.ReserveStock, 13, 0.1, 0.3),
    Share(jobs.SendOrderConfirmation, 13, 0.4, 0.8),
    Share(jobs.SendShippingNotice, 11, 0.4, 1.1),
    Share(jobs.GenerateInvoice, 11.5, 0.6, 2.6),
    Share(jobs.NotifyWarehouse, 10, 45, 0.9),
    Share(jobs.SendNewsletter, 10, 120, 5.0),
    Share(jobs.ResizeProductImage, 7, 2, 7.0),
    Share(jobs.SyncInventory, 3.5, 3, 110),
    Share(jobs.UpdateSearchIndex, 2.4, 4, 190),
    Share(jobs.ImportSupplierFeed, 1.3, 6, 340),
    Share(jobs.RecalculatePrices, 0.8, 9, 420),
    Share(jobs.ExportOrders, 0.6, 5, 260),
    Share(jobs.CleanUpCarts, 1.7, 1, 24),
)
SHARE_OF: Final = {each.job: each for each in SHARES}


def type_of(job: type[ShopJob]) -> str:
    """Return the name under which jobs of a class are stored."""
    return f"{MODULE}.{job.__name__}"


class Story:
    """What is drawn: the same for one seed, and for one moment."""

    def __init__(self, now: datetime, seed: int = 7) -> None:
        self.now = now
        self.start = now - LENGTH
        self.chance = random.Random(seed)  # noqa: S311
        self.workers = [
            f"shop-{'abc'[number % 3]}-{2210 + 7 * number}-{self.chance.getrandbits(24):06x}"
            for number in range(12)
        ]

    def id_at(self, moment: datetime) -> UUID:
        """Return an id that was made at a moment."""
        milliseconds = int(moment.timestamp() * 1000)
        return UUID(
            int=(milliseconds << 80)
            | (0x7 << 76)
            | (self.chance.getrandbits(12) << 64)
            | (0b10 << 62)
            | self.chance.getrandbits(62)
        )

    def moment(self) -> datetime:
        """Return a moment of the past: more of them are by day, and few by night."""
        while True:
            moment = self.start + self.chance.random() * (LENGTH - timedelta(seconds=30))
            if self.chance.random() < tide(moment):
                return moment

    def version_at(self, moment: datetime) -> str:
        """Return the version of the shop that ran at a moment."""
        return VERSIONS[moment >= self.now - DEPLOYED]

    def seconds(self, job: type[ShopJob], moment: datetime) -> tuple[float, float]:
        """Return for how long a job waits and runs that is due at a moment."""
        share = SHARE_OF[job]
        slower = SLOWER if job is SLOWED_DOWN and self.version_at(moment) == VERSIONS[1] else 1.0
        wait = self.chance.expovariate(1 / share.wait) * (0.4 + 1.2 * tide(moment))
        return wait, slower * share.run * self.chance.lognormvariate(0, 0.45)

    def data(self, job: type[ShopJob]) -> BaseModel:
        """Return what a job is about."""
        if issubclass(job, BatchJob):
            records = self.chance.randrange(40, 4_000)
            return Batch(source=self.chance.choice(SOURCES), records=records)
        # Some customers order much more than others.
        first, last = CUSTOMERS
        customer = first + int((last - first) * self.chance.random() ** 1.6)
        amount = round(self.chance.lognormvariate(3.6, 0.7), 2)
        order = self.chance.randrange(480_000, 530_000)
        return Order(customer=f"C-{customer}", order=order, amount=amount)

    def tags(self, job: type[ShopJob], data: BaseModel) -> tuple[str, ...]:
        """Return the tags of a job: those of money have their customer."""
        is_of_money = job in (jobs.ChargeCard, jobs.RefundPayment, jobs.GenerateInvoice)
        return (data.customer,) if is_of_money and isinstance(data, Order) else ()


def tide(moment: datetime) -> float:
    """Return how busy the shop is, from 0 to 1."""
    hour = moment.hour + moment.minute / 60
    day = 0.55 - 0.4 * math.cos((hour - 3) / 24 * 2 * math.pi)
    return day * (0.75 if moment.weekday() >= 5 else 1.0)
