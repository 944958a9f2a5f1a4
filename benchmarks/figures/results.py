"""What was measured: figures by measurement, contender and metric, one for each round."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.contenders.contender import Dialect


@dataclass(frozen=True)
class Metric:
    """A column of a table."""

    name: str
    unit: str


@dataclass
class Results:
    """The figures of one measurement on one database, in the order in which they came.

    `made` says of which commit, when and at which size, since a file may hold several runs.
    """

    measurement: str
    title: str
    dialect: Dialect
    notes: list[str] = field(default_factory=list)
    figures: dict[str, dict[Metric, list[float]]] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)

    def add(self, row: str, metric: Metric, figure: float) -> None:
        """Keep a figure of one round."""
        self.figures.setdefault(row, {}).setdefault(metric, []).append(figure)

    @property
    def metrics(self) -> list[Metric]:
        """All metrics that any row has."""
        return list(dict.fromkeys(metric for row in self.figures.values() for metric in row))

    def median(self, row: str, metric: str) -> float | None:
        """Return the median over the rounds, if it was measured."""
        for known, figures in self.figures.get(row, {}).items():
            if known.name == metric:
                return median(figures)
        return None

    def as_json(self) -> dict[str, Any]:
        """Return all figures."""
        return {
            "measurement": self.measurement,
            "title": self.title,
            "database": self.dialect.value,
            "notes": self.notes,
            "made": self.made,
            "figures": [
                {"row": row, "metric": metric.name, "unit": metric.unit, "rounds": figures}
                for row, metrics in self.figures.items()
                for metric, figures in metrics.items()
            ],
        }

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> "Results":
        """Return what `as_json` gave."""
        results = cls(
            values["measurement"],
            values["title"],
            Dialect(values["database"]),
            values["notes"],
            made=values["made"],
        )
        for each in values["figures"]:
            for figure in each["rounds"]:
                results.add(each["row"], Metric(each["metric"], each["unit"]), figure)
        return results


def best(results: Results, contender: str, metric: str, *, highest: bool) -> float | None:
    """Return the better median of a contender and its variants, if any was measured."""
    rows = [row for row in results.figures if row.partition(" (")[0] == contender]
    medians = [found for row in rows if (found := results.median(row, metric)) is not None]
    if not medians:
        return None
    return max(medians) if highest else min(medians)


def find(results: Iterable[Results], measurement: str, dialect: Dialect) -> Results | None:
    """Return the results of a measurement on a database, if it was made."""
    for each in results:
        if each.measurement == measurement and each.dialect is dialect:
            return each
    return None
