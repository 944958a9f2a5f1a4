"""Jobs with flow control that note in which order they run, and how many of a tenant at once."""

from datetime import timedelta
from typing import Any, ClassVar

import anyio
from pydantic import BaseModel

from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import Probe, ProbedJob
from modhost_background_jobs.contracts import Concurrency, Fair, JobExecutionContext, Rate


class Item(BaseModel):
    name: str
    tenant: str = ""
    seconds: float = 0.0


class Seen(Probe):
    """The jobs in the order of their starts, and how many of each tenant ran at most."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []
        self.running: dict[str, int] = {}
        self.most: dict[str, int] = {}

    def begin(self, item: Item) -> None:
        self.order.append(item.name)
        now = self.running[item.tenant] = self.running.get(item.tenant, 0) + 1
        self.most[item.tenant] = max(now, self.most.get(item.tenant, 0))

    def end(self, item: Item) -> None:
        self.running[item.tenant] -= 1
        self.finished[item.name] += 1


class Noted(ProbedJob):
    data_model: ClassVar[Any] = Item

    async def execute(self, context: JobExecutionContext) -> None:
        item = context.get_data(Item)
        assert isinstance(self.probe, Seen)
        self.probe.begin(item)
        try:
            if self.probe.gate.is_set() or item.seconds:
                await anyio.sleep(item.seconds)
            else:
                await self.probe.gate.wait()
        finally:
            self.probe.end(item)


class OnePerTenant(Noted):
    concurrency = Concurrency(1, per="tenant")


class TwoAtATime(Noted):
    concurrency = Concurrency(2)


class ThreeInAWhile(Noted):
    rate = Rate(3, timedelta(seconds=0.5))


class InTurns(Noted):
    fair = Fair(per="tenant")


MORE = (Noted, OnePerTenant, TwoAtATime, ThreeInAWhile, InTurns)


def host(url: str, seen: Seen, **options: Any) -> Any:
    return jobs_host(url, seen, more_jobs=MORE, **options)
