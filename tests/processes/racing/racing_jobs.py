"""Jobs under limits of all kinds, which note in the ledger when they run."""

import random
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import anyio
from pydantic import BaseModel

from modhost import Module, ModuleOptions, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    Concurrency,
    JobExecutionContext,
    ModuleJob,
    Rate,
    Snooze,
    add_module_job,
)
from processes.racing import broken
from processes.racing.ledger import Ledger


class RacingOptions(ModuleOptions):
    folder: Path
    broken: str = ""


class Item(BaseModel):
    """The data of every job here; `snoozes` is how likely an attempt is to be one."""

    key: str
    partner: str
    seconds: float = 0.0
    failures: int = 0
    snoozes: float = 0.0


class RacingJob(ModuleJob):
    data_model: ClassVar[Any] = Item
    max_attempts: ClassVar[int | None] = 3

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def counts_for(self, item: Item) -> list[str]:
        """Return the keys that a job counts for, as the ledger has them."""
        raise NotImplementedError

    async def execute(self, context: JobExecutionContext) -> None:
        item = context.get_data(Item)
        with self.ledger.running(str(context.job_id), self.counts_for(item)):
            await anyio.sleep(item.seconds)
            leave(context, item)


def leave(context: JobExecutionContext, item: Item) -> None:
    """Fail, snooze, or return."""
    if random.random() < item.snoozes:  # noqa: S311 - not for secrets
        raise Snooze(timedelta(seconds=0.02), "later")
    if context.attempt <= item.failures:
        msg = f"failure {context.attempt}"
        raise ValueError(msg)


class OneOfAKey(RacingJob):
    concurrency = Concurrency(1, per="key")

    def counts_for(self, item: Item) -> list[str]:
        return [f"1:one.{item.key}"]


class TwoOfAKey(RacingJob):
    """In a thread."""

    concurrency = Concurrency(2, per="key")

    def counts_for(self, item: Item) -> list[str]:
        return [f"2:two.{item.key}"]

    def execute(self, context: JobExecutionContext) -> None:  # type: ignore[override]
        item = context.get_data(Item)
        with self.ledger.running(str(context.job_id), self.counts_for(item)):
            time.sleep(item.seconds)
            leave(context, item)


class ThreeOfAPartner(RacingJob):
    concurrency = Concurrency(3, per="partner", name="partner")

    def counts_for(self, item: Item) -> list[str]:
        return [f"3:partner.{item.partner}"]


class PartnerAndKey(RacingJob):
    """Shares a limit with the type above, has one of its own, and another queue."""

    queue = "urgent"
    priority = 5
    concurrency = (Concurrency(3, per="partner", name="partner"), Concurrency(1, per="key"))

    def counts_for(self, item: Item) -> list[str]:
        return [f"3:partner.{item.partner}", f"1:both.{item.key}"]


class SomeStarts(RacingJob):
    rate = Rate(6, timedelta(seconds=1), per="key")

    def counts_for(self, item: Item) -> list[str]:
        return []


class StartsOfTwo(RacingJob):
    """With a rate and a concurrency."""

    concurrency = Concurrency(2, per="partner", name="slow partner")
    rate = Rate(20, timedelta(seconds=1))

    def counts_for(self, item: Item) -> list[str]:
        return [f"2:slow.{item.partner}"]


class Unlimited(RacingJob):
    def counts_for(self, item: Item) -> list[str]:
        return []


JOBS = (
    OneOfAKey,
    TwoOfAKey,
    ThreeOfAPartner,
    PartnerAndKey,
    SomeStarts,
    StartsOfTwo,
    Unlimited,
)


class RacingModule(Module):
    name: ClassVar[str] = "racing"
    version: ClassVar[str] = "1.0"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    options: ClassVar[type[BaseModel]] = RacingOptions

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: RacingOptions) -> None:
        if options.broken:
            broken.VARIANTS[options.broken]()
        services.add_instance(Ledger, Ledger(options.folder / "ledger"))
        for job in JOBS:
            add_module_job(services, job)
