"""Samples as text that Prometheus reads."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from modhost.metrics import Histogram, Metric, Samples
from modhost.metrics.samples import Series

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class _Scrape:
    """What `prometheus_client` takes for a registry: it yields families of samples."""

    def __init__(self, all_samples: Iterable[Samples]) -> None:
        self._all_samples = all_samples

    def collect(self) -> "Iterator[Family]":
        from prometheus_client.process_collector import ProcessCollector

        yield from ProcessCollector(registry=None).collect()
        for samples in self._all_samples:
            for metric, series in samples:
                yield _family(metric, series)


def as_text(all_samples: Iterable[Samples]) -> bytes:
    """Return all samples, after those of the process itself: its memory, its processor time."""
    # Imported by the first scrape: who is never scraped does not pay for it.
    from prometheus_client.exposition import generate_latest

    return generate_latest(_Scrape(all_samples))


def _family(metric: Metric, series: Series) -> "Family":
    from prometheus_client.core import Metric as Family

    # It adds the suffix of counters by itself.
    family = Family(metric.name.removesuffix("_total"), metric.help, metric.kind)
    for key, value in series.items():
        labels = dict(zip(metric.labels, key, strict=True))
        if not isinstance(value, Histogram):
            family.add_sample(metric.name, labels, value)
            continue
        count = 0
        for bound, count in value.cumulative():
            family.add_sample(f"{metric.name}_bucket", {**labels, "le": bound}, count)
        family.add_sample(f"{metric.name}_sum", labels, value.total)
        family.add_sample(f"{metric.name}_count", labels, count)
    return family
