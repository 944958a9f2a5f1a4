"""What has happened in the shop, in the order of time: which job, when, and how it ended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from benchmarks.demo.jobs import ShopJob
from benchmarks.demo.past.failures import CAUSES, OUTAGE_LENGTH, Cause
from benchmarks.demo.schedules import Run
from benchmarks.demo.shop import FINISHED, SHARES, Story
from modhost_background_jobs.contracts import JobState

CANCELLED: Final = 0.004
"""Which part of the others somebody has cancelled."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A job of the past; `reason` is why it was skipped or cancelled, `id_` is drawn unless given.

    `after` is how long after its creation it was due.
    """

    at: datetime
    job: type[ShopJob]
    state: JobState
    data: BaseModel | None = None
    cause: Cause | None = None
    reason: str | None = None
    run: Run | None = None
    workflow: UUID | None = None
    id_: UUID | None = None
    after: timedelta = timedelta(0)


def plan(
    story: Story, outage: datetime, scale: float, runs: list[Run], of_workflows: list[Planned]
) -> list[Planned]:
    """Return all jobs that have finished, the oldest first.

    Args:
        story: by which they are drawn.
        outage: when the gateway of cards was away.
        scale: 1 for as many as the shop has; failures are as rare in a smaller one.
        runs: of schedules; in a smaller shop the latest of each are enough.
        of_workflows: jobs that belong to workflows.

    """
    planned = [*of_workflows, *_runs(runs), *_failures(story, outage, scale)]
    jobs, weights = [each.job for each in SHARES], [each.weight for each in SHARES]
    rest = max(0, round(FINISHED * scale) - len(planned))
    for job in story.chance.choices(jobs, weights, k=rest):
        is_cancelled = story.chance.random() < CANCELLED
        state = JobState.CANCELLED if is_cancelled else JobState.COMPLETED
        planned.append(Planned(story.moment(), job, state))
    return sorted(planned, key=attrgetter("at"))


def _runs(runs: list[Run]) -> list[Planned]:
    return [
        Planned(
            each.due_at,
            each.job,
            JobState.COMPLETED if each.reason is None else JobState.SKIPPED,
            each.data,
            reason=each.reason,
            run=each,
        )
        for each in runs
    ]


def _failures(story: Story, outage: datetime, scale: float) -> list[Planned]:
    planned = []
    for cause in CAUSES:
        for _ in range(max(3, round(cause.count * scale))):
            at = story.moment()
            if cause.in_outage:
                # Their attempts have ended within it.
                at = outage + 0.9 * OUTAGE_LENGTH * story.chance.random()
            planned.append(Planned(at, cause.job, JobState.FAILED, cause=cause))
    return planned
