"""Counts as the rows that hold them."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from modhost_background_jobs.model.statistics import Histogram, MinuteCounts, TypeCounts, TypeKey
from modhost_background_jobs.storage.tables import TYPE_STATISTICS

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
MINUTES_KEPT: Final = timedelta(days=2)
"""Of each type."""
MERGED_AFTER: Final = timedelta(minutes=5)
"""A worker that can reach the database has written a minute by then."""
BATCH_SIZE: Final = 500
OF_ALL: Final = ""
"""In place of a worker's name in rows of all workers."""
TYPE_KEY: Final = [each.name for each in TYPE_STATISTICS.primary_key.columns]


def type_row(worker: str, width: timedelta, each: TypeCounts) -> Mapping[str, Any]:
    """Return the row of what a worker counted of a type; without a worker, of what all did."""
    return {
        **each.key._asdict(),
        "width": seconds(width),
        "start": each.start,
        "worker": worker,
        **columns_of(each.counts),
    }


def type_counts_of(row: Mapping[Any, Any]) -> TypeCounts:
    """Return what a row counted of a type."""
    key = TypeKey(row["job_type"], row["queue"], row["app_version"])
    return TypeCounts(row["start"], key, counts_of(row))


def seconds(width: timedelta) -> int:
    """Return a width as rows have it."""
    return int(width.total_seconds())


def columns_of(counts: MinuteCounts) -> Mapping[str, Any]:
    """Return counts as the columns that hold them."""
    return {
        "completed": counts.completed,
        "failed": counts.failed,
        "cancelled": counts.cancelled,
        "waits": json.dumps(counts.waits.counts),
        "runs": json.dumps(counts.runs.counts),
    }


def counts_of(row: Mapping[Any, Any]) -> MinuteCounts:
    """Return the counts of a row."""
    return MinuteCounts(
        row["completed"],
        row["failed"],
        row["cancelled"],
        _histogram(row["waits"]),
        _histogram(row["runs"]),
    )


def added_up(row: Mapping[Any, Any]) -> MinuteCounts:
    """Return the counts of a row that stands for several, whose histograms follow each other."""
    return MinuteCounts(
        int(row["completed"]),
        int(row["failed"]),
        int(row["cancelled"]),
        _sum(row["waits"]),
        _sum(row["runs"]),
    )


def _sum(stored: str) -> Histogram:
    steps: dict[str, int] = {}
    for histogram in json.loads(f"[{stored}]"):
        for step, count in histogram.items():
            steps[step] = steps.get(step, 0) + count
    return Histogram({int(step): count for step, count in steps.items()})


def _histogram(stored: str) -> Histogram:
    return Histogram({int(step): count for step, count in json.loads(stored).items()})
