"""What waits and runs at this moment, and the workers: eleven that are well, and one that died."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from benchmarks.demo import jobs
from benchmarks.demo.jobs import JOBS, ShopJob
from benchmarks.demo.past.history import common, log_of
from benchmarks.demo.shop import SHARE_OF, VERSIONS, Story, type_of
from modhost_background_jobs.client.call_flow import hold_back
from modhost_background_jobs.client.new_jobs import Asked, NewJobs
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import NewJob
from modhost_background_jobs.model.worker import Departure
from modhost_background_jobs.worker.registration import VERSION

SLOTS: Final = 8
BEHIND: Final[Mapping[type[ShopJob], tuple[int, timedelta]]] = {
    jobs.SendNewsletter: (1_400, timedelta(minutes=52)),
    jobs.NotifyWarehouse: (900, timedelta(minutes=34)),
    jobs.GenerateInvoice: (120, timedelta(minutes=9)),
    jobs.ReserveStock: (40, timedelta(seconds=20)),
}
"""How many jobs of a type are due, and since when."""
LATER: Final = 540
"""So many are due in the next day."""
RUNNING: Final[Mapping[type[ShopJob], int]] = {
    jobs.SyncInventory: 8,
    jobs.UpdateSearchIndex: 7,
    jobs.ImportSupplierFeed: 9,
    jobs.RecalculatePrices: 8,
    jobs.ExportOrders: 4,
    jobs.CleanUpCarts: 4,
}
LOST: Final = 2
"""So many of them were of the worker that died."""
DIED: Final = timedelta(minutes=11)


def pending(story: Story, new: NewJobs, scale: float, *, live: bool) -> Iterator[NewJob]:
    """Yield the jobs that wait; those too that would run already if nobody were to run them."""
    for job, (count, age) in BEHIND.items():
        flow = new.flow_of(job, None, None, ())
        made = (
            _new(story, new, job, age * story.chance.random()) for _ in range(_some(count, scale))
        )
        yield from hold_back(flow.registered, sorted(made, key=lambda each: each.created_at))
    for _ in range(_some(LATER, scale)):
        made_at = timedelta(hours=10 * story.chance.random() ** 3)
        later = story.now + timedelta(hours=0.3 + 22 * story.chance.random())
        waiting = _new(story, new, jobs.SendShippingNotice, made_at)
        yield replace(waiting, execute_at=later)
    for job, count in RUNNING.items() if live else ():
        for _ in range(count):
            yield _new(story, new, job, timedelta(seconds=5))


def running(story: Story, *, live: bool) -> Iterator[tuple[Mapping[str, Any], list[Any]]]:
    """Yield the rows of the jobs that run, each with those of its log."""
    kinds = [job for job, count in RUNNING.items() for _ in range(count)]
    story.chance.shuffle(kinds)
    for number, job in enumerate(kinds[: LOST if live else None]):
        done = 0.05 + 0.9 * story.chance.random()
        started = story.now - timedelta(seconds=done * SHARE_OF[job].run)
        worker = story.workers[-1] if live else _living(story)[number % 11]
        if live:
            started = story.now - DIED - timedelta(seconds=40 + 60 * number)
        made = started - timedelta(seconds=0.2 + story.chance.expovariate(0.5))
        id_ = story.id_at(made)
        row = common(story, job, story.data(job), id_) | {
            "state": JobState.RUNNING.value,
            "created_at": made,
            "execute_at": made,
            "started_at": started,
            "attempt": 1,
            "max_attempts": 3,
            "attempts_left": 2,
            "fence": 1,
            "worker": worker,
            "progress_percentage": int(100 * done),
            "progress_message": job.steps[int(done * len(job.steps))],
            "progress_at": story.now - timedelta(seconds=1),
        }
        yield row, list(log_of(job, id_, 1, started, story.now, done))


def workers(story: Story, *, live: bool) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of the workers; in a living shop that of the one alone that has just died."""
    for number, name in enumerate(story.workers):
        is_dead = name == story.workers[-1]
        if live is not is_dead:
            continue
        host, process = name.rsplit("-", 2)[0], int(name.rsplit("-", 2)[1])
        started = story.now - timedelta(hours=17 - 0.05 * number)
        yield {
            "name": name,
            "host": host,
            "process": process,
            "version": VERSION,
            "app_version": VERSIONS[-1],
            "memory": 90_000_000 + 3_000_000 * number,
            "started_at": started,
            "heartbeat_at": story.now - (DIED if is_dead else timedelta(seconds=2)),
            "beats": 1_000_000 + number,
            "max_concurrency": SLOTS,
            "job_types": ",".join(type_of(job) for job in JOBS),
            "queues": "accounting,*" if number == 0 else "*",
        }


def departed(story: Story) -> Mapping[str, Any]:
    """Return the row of the worker that died, where nobody is there to find it."""
    host, process = story.workers[-1].rsplit("-", 2)[0], int(story.workers[-1].rsplit("-", 2)[1])
    return {
        "name": story.workers[-1],
        "host": host,
        "process": process,
        "version": VERSION,
        "app_version": VERSIONS[-1],
        "queues": "*",
        "started_at": story.now - timedelta(hours=17),
        "heartbeat_at": story.now - DIED,
        "left_at": story.now - DIED + timedelta(seconds=20),
        "departure": Departure.DIED.value,
        "jobs": LOST,
    }


def _living(story: Story) -> list[str]:
    return story.workers[:-1]


def _some(count: int, scale: float) -> int:
    return max(5, math.ceil(count * scale))


def _new(story: Story, new: NewJobs, job: type[ShopJob], age: timedelta) -> NewJob:
    made_at = story.now - age
    data = story.data(job)
    asked = Asked(
        flow=new.flow_of(job, None, None, story.tags(job, data)),
        max_attempts=None,
        timeout=None,
        enqueued_by=None,
        now=made_at,
    )
    return replace(new.make(asked, data, job_id=None), id=story.id_at(made_at))
