"""The measurements by name, in the order in which they run."""

from collections.abc import Awaitable, Callable
from typing import Final

from benchmarks.figures.results import Results
from benchmarks.measurements import (
    drain,
    drivers,
    enqueue,
    held_transaction,
    idle,
    killed,
    logs,
    own,
    pickup,
)
from benchmarks.measurements.flow import claiming, drains
from benchmarks.measurements.growth import backlog, history, pages, retention, shop
from benchmarks.measurements.volume import write_ahead_log
from benchmarks.measurements.workflows import drains as workflows
from benchmarks.run import Run

Measure = Callable[[Run], Awaitable[list[Results]]]

MEASUREMENTS: Final[dict[str, Measure]] = {
    "enqueue": enqueue.measure,
    "drain": drain.measure,
    "pickup": pickup.measure,
    "wal": write_ahead_log.measure,
    "idle": idle.measure,
    "backlog": backlog.measure,
    "history": history.measure,
    "retention": retention.measure,
    "killed": killed.measure,
    "logs": logs.measure,
    "own": own.measure,
    "flow": drains.measure,
    "lanes": claiming.measure,
    "workflows": workflows.measure,
    "pages": pages.measure,
    "shop": shop.measure,
    "held": held_transaction.measure,
    "drivers": drivers.measure,
}
