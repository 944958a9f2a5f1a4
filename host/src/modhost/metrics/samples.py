"""The samples of one scrape: what a module adds for its metrics, within their bounds."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from modhost.metrics.declaration import Metric
from modhost.metrics.histogram import Histogram

OTHER: Final = "(other)"
"""The value of all labels of what goes beyond `max_series`."""

_NO_UTF8: Final = re.compile(r"[\ud800-\udfff]")

Value: TypeAlias = float | Histogram
Series: TypeAlias = Mapping[tuple[str, ...], Value]


class Samples:
    """Collects the values of the metrics that a module declares.

    Args:
        declared: the metrics of the module.

    """

    def __init__(self, declared: Iterable[Metric]) -> None:
        self._series: dict[Metric, dict[tuple[str, ...], Value]] = {each: {} for each in declared}

    def add(self, metric: Metric, value: Value, **labels: str) -> None:
        """Add a value; one that the same labels have already is merged with it.

        Args:
            metric: one of those that the module declares.
            value: a number, or a `Histogram` for a metric of that kind.
            labels: a value for each of the metric's labels.

        Raises:
            ValueError: the module does not declare the metric, it has other labels or one that is
                not a text, or its kind is another one.
            OverflowError: the number is too large for a float.

        """
        series = self._series.get(metric)
        if series is None:
            raise ValueError(f"The module does not declare {metric.name} in its `metrics`.")
        if labels.keys() != set(metric.labels):
            wanted = ", ".join(metric.labels) or "none"
            given = ", ".join(labels) or "none"
            raise ValueError(f"The labels of {metric.name} are {wanted}, not {given}.")
        for name, label in labels.items():
            if not isinstance(label, str) or _NO_UTF8.search(label):
                raise ValueError(f"The label {name} of {metric.name} is {label!r}; give it a text.")
        is_right = isinstance(value, Histogram if metric.kind == "histogram" else int | float)
        if not is_right:
            raise ValueError(f"{metric.name} is a {metric.kind}: {value!r} does not fit it.")
        if not isinstance(value, Histogram):
            value = float(value)
        key = tuple(labels[name] for name in metric.labels)
        if key not in series and len(series) >= metric.max_series:
            key = (OTHER,) * len(key)
        before = series.get(key)
        series[key] = value if before is None else _merged(metric, before, value)

    def __iter__(self) -> Iterator[tuple[Metric, Series]]:
        """Yield each metric, also one without a value, with its values by their labels."""
        return iter(self._series.items())


def _merged(metric: Metric, one: Value, other: Value) -> Value:
    match one, other:
        case Histogram(), Histogram():
            return one.merged(other)
        case ((int() | float()), (int() | float())):
            return max(one, other) if metric.merge == "max" else one + other
    raise TypeError(metric.name)
