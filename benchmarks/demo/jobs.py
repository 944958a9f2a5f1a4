"""The jobs of the shop: what each is given, and how it runs where somebody watches."""

import random
from datetime import timedelta
from typing import ClassVar, Final

import anyio
from pydantic import BaseModel

from modhost_background_jobs.contracts import (
    Concurrency,
    JobExecutionContext,
    ModuleJob,
    Rate,
)

STEP_SECONDS: Final = 1.5


class Order(BaseModel):
    """An order of a customer, e.g. C-10172."""

    customer: str
    order: int
    amount: float = 0.0


class Batch(BaseModel):
    """Many records of a source: a supplier, a warehouse, a country."""

    source: str
    records: int = 100


class ShopJob(ModuleJob):
    """A job that takes its time, in steps that it reports.

    Attributes:
        steps: what it does, in words.
        seconds: how long that takes, mostly.
        error: what every hundredth of them fails with.

    """

    steps: ClassVar[tuple[str, ...]]
    seconds: ClassVar[float]
    error: ClassVar[str] = ""

    async def execute(self, context: JobExecutionContext) -> None:
        """Go through the steps, and fail now and then."""
        chance = random.Random(f"{context.job_id} {context.attempt}")  # noqa: S311
        length = self.seconds * chance.lognormvariate(0, 0.4)
        pauses = max(len(self.steps), int(length / STEP_SECONDS))
        fails_at = chance.randrange(pauses) if self.error and chance.random() < 0.01 else None
        named = -1
        for pause in range(pauses):
            step = pause * len(self.steps) // pauses
            context.report_progress(100 * pause / pauses, self.steps[step])
            if step != named:
                context.log(self.steps[step])
                named = step
            if pause == fails_at:
                raise ConnectionError(self.error)
            await anyio.sleep(length / pauses)
        context.report_progress(100, "Done")


class OrderJob(ShopJob):
    """A job for an order."""

    data_model: ClassVar[type[BaseModel]] = Order

    @staticmethod
    def summary(data: Order) -> str:
        """Name the customer and the order."""
        return f"{data.customer}, order {data.order}"


class BatchJob(ShopJob):
    """A job for many records."""

    data_model: ClassVar[type[BaseModel]] = Batch

    @staticmethod
    def summary(data: Batch) -> str:
        """Name the source, and how many records there are."""
        return f"{data.source}: {data.records} records"


class ChargeCard(OrderJob):
    """Takes the money."""

    steps, seconds = ("Ask the card gateway", "Book the payment"), 1.8
    error = "pay.example.com refused the connection"
    queue: ClassVar[str] = "payments"
    priority: ClassVar[int] = 10
    concurrency = Concurrency(20, name="card gateway")


class RefundPayment(OrderJob):
    """Gives it back."""

    steps, seconds = ("Find the payment", "Ask the card gateway"), 2.2
    queue: ClassVar[str] = "payments"
    concurrency = Concurrency(20, name="card gateway")


class ReserveStock(OrderJob):
    """Keeps the items for the order."""

    steps, seconds = ("Reserve the items",), 0.3


class SendOrderConfirmation(OrderJob):
    """Thanks for the order."""

    steps, seconds = ("Render the mail", "Send the mail"), 0.8


class SendShippingNotice(OrderJob):
    """Says that it is in transit."""

    steps, seconds = ("Ask for the tracking number", "Send the mail"), 1.1


class GenerateInvoice(OrderJob):
    """Makes the invoice; a version of the shop has slowed it down."""

    steps, seconds = ("Collect the items", "Render the PDF", "Store the PDF"), 2.6


class NotifyWarehouse(OrderJob):
    """Asks a partner to pack, who wants no more than 30 calls a minute."""

    steps, seconds = ("Call the warehouse",), 0.9
    error = "warehouse.example.com did not answer within 10 s"
    queue: ClassVar[str] = "partners"
    rate = Rate(30, timedelta(minutes=1), name="warehouse/api")


class SendNewsletter(OrderJob):
    """Sends one of very many mails, behind all others."""

    steps, seconds = ("Render the mail", "Send the mail"), 5.0
    queue: ClassVar[str] = "bulk"
    priority: ClassVar[int] = -10
    concurrency = Concurrency(4, name="mail server")


class ResizeProductImage(BatchJob):
    """Makes small pictures of large ones."""

    steps, seconds = ("Fetch the picture", "Resize it", "Store it"), 7.0


class SyncInventory(BatchJob):
    """Compares the stock with that of a warehouse."""

    steps, seconds = ("Read the stock", "Compare it", "Store what differs"), 110.0


class UpdateSearchIndex(BatchJob):
    """Makes products findable."""

    steps, seconds = ("Read the products", "Analyse texts", "Write the index"), 190.0


class ImportSupplierFeed(BatchJob):
    """Takes over the products of a supplier."""

    steps = ("Fetch the feed", "Check the records", "Store the records", "Publish the changes")
    seconds = 340.0


class RecalculatePrices(BatchJob):
    """Computes the prices of a country."""

    steps, seconds = ("Read the rules", "Compute the prices", "Store the prices"), 420.0


class ExportOrders(BatchJob):
    """Hands the orders to accounting."""

    steps, seconds = ("Read the orders", "Write the file", "Upload the file"), 260.0
    queue: ClassVar[str] = "accounting"


class CleanUpCarts(BatchJob):
    """Forgets carts that nobody came back to."""

    steps, seconds = ("Find old carts", "Delete them"), 24.0


JOBS: Final[tuple[type[ShopJob], ...]] = (
    *(ChargeCard, RefundPayment, ReserveStock, SendOrderConfirmation, SendShippingNotice),
    *(GenerateInvoice, NotifyWarehouse, SendNewsletter, ResizeProductImage, SyncInventory),
    *(UpdateSearchIndex, ImportSupplierFeed, RecalculatePrices, ExportOrders, CleanUpCarts),
)
