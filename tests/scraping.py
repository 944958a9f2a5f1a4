"""Scrape a host as Prometheus does, and read what it says with its parser."""

from collections.abc import Iterable

import httpx2
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from modhost.metrics import Metric

VIEW_METRICS = "Host.ViewMetrics"


class Scrape:
    """What a process said of itself."""

    def __init__(self, text: str) -> None:
        self.families: dict[str, Family] = {}
        for family in text_string_to_metric_families(text):
            assert family.name not in self.families, f"{family.name} is there twice"
            self.families[family.name] = family

    def value(self, name: str, **labels: str) -> float:
        """Return the value of the one series with these labels among its own."""
        (found,) = self.values(name, **labels)
        return found

    def values(self, name: str, **labels: str) -> list[float]:
        return [
            sample.value
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def total(self, name: str, **labels: str) -> float:
        return sum(self.values(name, **labels))

    def fits(self, declared: Iterable[Metric]) -> None:
        """Check that each metric is there as it is declared, with its type and labels."""
        for metric in declared:
            family = self.families[metric.name.removesuffix("_total")]
            assert (family.type, family.documentation) == (metric.kind, metric.help)
            for sample in family.samples:
                assert sample.name in metric.exposed
                assert sample.labels.keys() - {"le"} == set(metric.labels), sample


async def scrape(client: httpx2.AsyncClient) -> Scrape:
    answer = await client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(answer.text)
