"""How much is measured."""

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Sizes:
    """Counts of jobs, and seconds.

    Attributes:
        single: jobs enqueued one by one.
        concurrent: jobs enqueued by as many tasks at once.
        bulk: jobs enqueued by calls for `chunk` each.
        chunk: jobs of one call.
        processes: how many worker processes drain the queue, by turns.
        variants: whether contenders drain with other workers too.
        noop: jobs of a drain that do nothing.
        short: jobs of a drain that wait a millisecond.
        pickups: jobs that are picked up from an empty queue.
        idle: seconds of watching an idle worker.
        chain: jobs of a workflow each of which waits for the one before.
        workflow: jobs of a large workflow.
        backlogs: pending jobs among which is claimed, the first one is the measure.
        histories: finished jobs beside which is claimed, the first one is the measure.
        claims: claims of a hundred for each.
        jobs: numbers of finished and of pending jobs among which pages are opened.
        pages: visits to each page.
        shop: the scale of the shop whose pages are opened.
        watched: seconds for which its dashboard is watched.
        log_lines: lines that one job logs.
        log_seconds: over how many seconds.
        apart: jobs that run in processes of their own.
        impatient: whether a killed worker is found at once and not after the default time.
        held: seconds for which a transaction is held open under load.

    """

    single: int
    concurrent: int
    bulk: int
    chunk: int
    processes: tuple[int, ...]
    variants: bool
    noop: int
    chain: int
    workflow: int
    short: int
    pickups: int
    idle: float
    backlogs: tuple[int, ...]
    histories: tuple[int, ...]
    claims: int
    jobs: tuple[tuple[int, int], ...]
    pages: int
    shop: float
    watched: float
    log_lines: int
    log_seconds: float
    apart: int
    impatient: bool
    held: float


_SMALL: Final = Sizes(
    single=300,
    concurrent=2_000,
    bulk=10_000,
    chunk=1_000,
    processes=(1, 2),
    variants=True,
    noop=30_000,
    chain=1_000,
    workflow=100_000,
    short=5_000,
    pickups=60,
    idle=15,
    backlogs=(1_000, 100_000),
    histories=(1_000, 1_000_000),
    claims=40,
    jobs=((1_000, 1_000), (1_000_000, 100_000)),
    pages=20,
    shop=1.0,
    watched=30,
    log_lines=10_000,
    log_seconds=10,
    apart=500,
    impatient=False,
    held=15,
)

SIZES: Final = {
    "smoke": Sizes(
        single=2,
        concurrent=5,
        bulk=20,
        chunk=10,
        processes=(2,),
        variants=False,
        noop=20,
        chain=5,
        workflow=20,
        short=20,
        pickups=2,
        idle=0.3,
        backlogs=(10, 30),
        histories=(10, 30),
        claims=1,
        jobs=((600, 10), (1_000, 30)),
        pages=1,
        shop=0.002,
        watched=0.1,
        log_lines=40,
        log_seconds=0.2,
        apart=1,
        impatient=True,
        held=0.5,
    ),
    "small": _SMALL,
    # As many jobs as the targets name, and as little of all else as is still meaningful.
    "medium": replace(
        _SMALL,
        backlogs=(1_000, 1_000_000),
        histories=(1_000, 10_000_000),
        idle=10,
        held=120,
    ),
    # For what reads the history, of ten million jobs: history, retention and pages.
    "huge": replace(
        _SMALL, histories=(1_000, 10_000_000), jobs=((1_000, 1_000), (10_000_000, 100_000))
    ),
    "full": Sizes(
        single=1_000,
        concurrent=5_000,
        bulk=50_000,
        chunk=1_000,
        processes=(1, 2),
        variants=True,
        noop=30_000,
        chain=1_000,
        workflow=100_000,
        short=10_000,
        pickups=300,
        idle=60,
        backlogs=(1_000, 100_000, 1_000_000),
        histories=(1_000, 10_000_000),
        claims=100,
        jobs=((1_000, 1_000), (1_000_000, 100_000)),
        pages=50,
        shop=1.0,
        watched=30,
        log_lines=10_000,
        log_seconds=10,
        apart=2_000,
        impatient=False,
        held=120,
    ),
}
