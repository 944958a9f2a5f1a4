"""The schedules of the shop: most belong to its code, some to people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from benchmarks.demo import jobs
from benchmarks.demo.jobs import Batch, Order, ShopJob
from benchmarks.demo.shop import MODULE, MODULE_VERSION, SOURCES, Story, type_of
from modhost_background_jobs.contracts import CatchUpPolicy, OverlapPolicy
from modhost_background_jobs.cron.schedule import CronSchedule

COUNT: Final = 61
MISSED: Final = 4
"""So many of them have missed runs, for which nobody was there."""
MAX_RUNS: Final = 40
RECENTLY: Final = timedelta(hours=10)
FREQUENT: Final = 20
COUNTRIES: Final = (
    *("Austria", "Belgium", "Denmark", "Finland", "France", "Germany", "Ireland", "Italy"),
    *("Netherlands", "Norway", "Poland", "Portugal", "Spain", "Sweden", "Switzerland"),
)
SUPPLIERS: Final = (
    *("Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Juniper", "Larch", "Maple", "Oak"),
    *("Pine", "Rowan", "Spruce", "Willow", "Yew"),
)


@dataclass(frozen=True)
class Definition:
    """A schedule: what runs when, by the clock of which zone, and whether code owns it."""

    name: str
    job: type[ShopJob]
    cron: str
    data: Batch | Order
    zone: str = "Europe/Berlin"
    is_of_code: bool = True
    is_enabled: bool = True


class Run(NamedTuple):
    """A run of a schedule that was due at a time; one that was skipped has the reason."""

    schedule: UUID
    name: str
    job: type[ShopJob]
    due_at: datetime
    data: Batch | Order
    reason: str | None


def definitions() -> Iterator[Definition]:
    """Yield all of them."""
    for number, each in enumerate(SOURCES):
        cron = f"{7 * number % 60}/15 8-18 * * 1-5" if number % 2 else "*/15 * * * *"
        yield Definition(f"Sync inventory, {each}", jobs.SyncInventory, cron, Batch(source=each))
    for number, each in enumerate(SUPPLIERS):
        cron, data = f"{4 * number} */4 * * *", Batch(source=each.lower(), records=2_400)
        yield Definition(f"Import feed of {each}", jobs.ImportSupplierFeed, cron, data)
    for number, each in enumerate(COUNTRIES):
        cron, data = f"{2 * number} 4 * * *", Batch(source=each, records=18_000)
        yield Definition(f"Recalculate prices, {each}", jobs.RecalculatePrices, cron, data)
    yield Definition("Update search index", jobs.UpdateSearchIndex, "0 * * * *", Batch(source="*"))
    yield Definition("Clean up carts", jobs.CleanUpCarts, "30 2 * * *", Batch(source="carts"))
    for each in COUNTRIES:
        data, zone = Batch(source=each, records=900), "Europe/London"
        name, cron = f"Orders of {each} for accounting", "15 6 * * 1-5"
        is_enabled = each not in ("Norway", "Poland")
        yield Definition(
            name, jobs.ExportOrders, cron, data, zone, is_of_code=False, is_enabled=is_enabled
        )
    order = Order(customer="C-10172", order=512_204)
    for job, name, cron in (
        (jobs.SendNewsletter, "Newsletter of the week", "0 9 * * 4"),
        (jobs.GenerateInvoice, "Monthly invoice of C-10172", "0 7 1 * *"),
        (jobs.NotifyWarehouse, "Remind the warehouse of express orders", "*/10 7-19 * * *"),
        (jobs.CleanUpCarts, "Clean up test carts", "45 5 * * 1"),
        (jobs.UpdateSearchIndex, "Full search index", "0 1 * * 7"),
        (jobs.ResizeProductImage, "Pictures of the season", "20 3 1,15 * *"),
        (jobs.SendShippingNotice, "Late parcels", "0 16 * * 1-5"),
        (jobs.RefundPayment, "Open refunds", "40 10 * * *"),
    ):
        of_order = issubclass(job, jobs.OrderJob)
        data_of = order if of_order else Batch(source="all")
        yield Definition(name, job, cron, data_of, is_of_code=False)


class Schedules:
    """The rows of all schedules, and the runs that they have had."""

    def __init__(self, story: Story) -> None:
        self.definitions = list(definitions())
        self.rows: list[Mapping[str, Any]] = []
        self.runs: list[Run] = []
        for number, each in enumerate(self.definitions):
            self._add(story, each, misses=number % (COUNT // MISSED) == 3)

    def _add(self, story: Story, each: Definition, *, misses: bool) -> None:
        schedule = CronSchedule.parse(each.cron, each.zone)
        created = story.start - timedelta(days=90)
        id_ = story.id_at(created)
        due = _latest(schedule, story)
        for number, due_at in enumerate(due if each.is_enabled else ()):
            reason = None
            if misses and number in (len(due) - 3, len(due) // 2):
                reason = (
                    f"missed: no consumer could fire it at {due_at:%Y-%m-%d %H:%M} UTC, 1 due time"
                )
            elif story.chance.random() < 0.02:
                reason = (
                    f"skipped: the earlier run {story.id_at(due_at)} of this schedule "
                    "was still Running."
                )
            self.runs.append(Run(id_, each.name, each.job, due_at, each.data, reason))
        last = due[-1] if due and each.is_enabled else None
        self.rows.append(
            {
                "id": id_,
                "name": each.name,
                "job_type": type_of(each.job),
                "module_name": MODULE,
                "cron_expression": each.cron,
                "time_zone": each.zone,
                "data": each.data.model_dump_json(),
                "summary": each.job.summary(each.data),
                "overlap": OverlapPolicy.SKIP.value,
                "catch_up": CatchUpPolicy.ONE.value,
                "max_attempts": 3,
                "is_enabled": each.is_enabled,
                "last_run_at": last,
                "last_due_at": last,
                "next_run_at": schedule.next_after(story.now),
                "is_of_start": each.is_of_code,
                "module_version": MODULE_VERSION,
                "created_at": created,
            }
        )


def _latest(schedule: CronSchedule, story: Story) -> list[datetime]:
    """Return its last due times; of a frequent one those of the last hours are enough."""
    lately = schedule.due_between(story.now - RECENTLY, story.now, MAX_RUNS)
    if len(lately) > FREQUENT:
        return list(lately)
    return list(schedule.due_between(story.start, story.now, 10 * MAX_RUNS)[-MAX_RUNS:])
