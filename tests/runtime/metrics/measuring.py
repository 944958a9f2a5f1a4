"""A module with metrics of each kind, whose hook does what a test wants."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from modhost import Module, Scope, hookimpl
from modhost.metrics import Histogram, Metric, Samples

LENT = Metric("library_lent_total", "counter", "Books lent.", ("kind",), max_series=2)
WAIT = Metric("library_wait_seconds", "histogram", "How long readers wait.")
AGE = Metric("library_age_days", "gauge", "Age of the oldest.", ("kind",), 1, merge="max")
METRICS = (LENT, WAIT, AGE)


async def nothing(_samples: Samples) -> None:
    pass


class Library(Module):
    name: ClassVar[str] = "library"
    metrics: ClassVar[tuple[Metric, ...]] = METRICS

    def __init__(self, then: Callable[[Samples], Awaitable[None]] = nothing) -> None:
        self.then = then
        self.collected = 0

    @hookimpl
    async def collect_metrics(self, samples: Samples, scope: Scope) -> None:
        self.collected += 1
        samples.add(LENT, 3, kind="novel")
        waits = Histogram((0.1, 1.0))
        for seconds in (0.1, 0.5, 7.0):
            waits.observe(seconds)
        samples.add(WAIT, waits)
        await self.then(samples)
