"""Everything that the page of one job shows."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from modhost_background_jobs.contracts import JobAction, JobAttempt, JobNotFound, JobState
from modhost_background_jobs.inspection.actions import JobActions
from modhost_background_jobs.inspection.snapshot import Snapshots
from modhost_background_jobs.inspection.timeline import Event, time_left, timeline
from modhost_background_jobs.inspection.waiting import Waiting, why_waiting
from modhost_background_jobs.model import JobRow, JobTypes
from modhost_background_jobs.model.data.job_data import json_for_people
from modhost_background_jobs.model.steps import StepRow
from modhost_background_jobs.options import BackgroundJobsOptions
from modhost_background_jobs.queries.details import JobDetailReader, JobDetails, Known
from modhost_background_jobs.queries.held_places import HeldPlaces
from modhost_background_jobs.queries.logs import LogRow
from modhost_background_jobs.queries.records import STEPS_SHOWN
from modhost_background_jobs.queries.workflows.neighbours import ALONE, Condition, Neighbours
from modhost_background_jobs.storage import QueueClock

LOG_LINES: Final = STEPS_SHOWN
_UUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


@dataclass(frozen=True, slots=True)
class InspectedJob:
    """A job as its page shows it: equal to another one that would look the same.

    `left` is the time left in words; `data`, `log` and the jobs around it are there
    for the whole page only. `result` is as it is stored. `is_due_later` is whether only time keeps
    a pending job from being due.
    """

    row: JobRow
    attempts: Sequence[JobAttempt]
    events: Sequence[Event]
    why_waiting: Waiting | None
    left: str | None
    is_due_later: bool = False
    data: str | None = None
    log: Sequence[LogRow] = ()
    result: str | None = None
    steps: Sequence[StepRow] = ()
    number_of_steps: int = 0

    workflow_name: str | None = None
    condition: Condition | None = None
    neighbours: Neighbours = ALONE

    @property
    def shown_steps(self) -> list[tuple[StepRow, str | None]]:
        """The latest steps, each with its result as people see it."""
        return [(each, json_for_people(each.result)) for each in self.steps]

    @property
    def reason(self) -> tuple[str, str, str]:
        """The first line of its error: what comes before the id of a job in it, that, the rest.

        The id is empty unless the job was cancelled because of that one.
        """
        line = (self.row.error or "").split("\n", 1)[0]
        if self.row.state is JobState.CANCELLED and (found := _UUID.search(line)):
            return line[: found.start()], found[0], line[found.end() :]
        return line, "", ""

    @property
    def shown_result(self) -> str | None:
        """The result as people see it."""
        return json_for_people(self.result)


class JobInspection:
    """Reads single jobs with everything about them."""

    def __init__(
        self,
        details: JobDetailReader,
        snapshots: Snapshots,
        places: HeldPlaces,
        actions: JobActions,
        types: JobTypes,
        options: BackgroundJobsOptions,
        clock: QueueClock,
    ) -> None:
        self._details = details
        self._snapshots = snapshots
        self._places = places
        self._actions = actions
        self._aging = options.priority_aging
        self._bulk_types = types.of_bulk_runners
        self._clock = clock

    async def inspect(self, job_id: UUID, words: str | None = None) -> InspectedJob:
        """Return a job with the end of its log, or with the lines that have certain words.

        Takes three statements, a fourth for a pending job, two more for one that a limit holds
        back, and one for one that was changed with many. Raises `JobNotFound`.
        """
        found = await self._details.find(job_id, LOG_LINES, words)
        if found is None:
            raise JobNotFound(job_id)
        waiting = await self.why_waiting([found])
        actions = (await self._actions.of([found.row]))[job_id]
        return self._inspected(found, waiting[job_id], actions, json_for_people(found.data))

    async def follow(
        self, ids: Collection[UUID], known: Mapping[UUID, InspectedJob]
    ) -> dict[UUID, InspectedJob]:
        """Return what is live of the jobs that exist, in a few statements for all of them.

        Those that limits hold back take two more for each fifty or so.

        The attempts, results and steps are read only of jobs that are not as they are known.
        """
        before = {
            id_: Known(job.row, job.attempts, job.result, job.number_of_steps, job.steps)
            for id_, job in known.items()
        }
        found = await self._details.find_live(ids, before)
        waiting = await self.why_waiting(found)
        # An action is in the audit a moment after it was done: the row does not say whether it is.
        actions = await self._actions.of([each.row for each in found])
        return {
            each.row.id: self._inspected(each, waiting[each.row.id], actions[each.row.id])
            for each in found
        }

    async def why_waiting(self, found: Collection[JobDetails]) -> dict[UUID, Waiting | None]:
        """Return why each job waits; None for those that do not."""
        pending = [each.row for each in found if each.row.state is JobState.PENDING]
        needs_worker = any(not row.on_hold for row in pending)
        workers = await self._snapshots.workers() if needs_worker else []
        held = await self._places.of(pending, self._aging)
        now = self._clock.now()
        return {
            each.row.id: why_waiting(
                each,
                now,
                workers,
                held=held.get(each.row.id),
                is_bulk_change=each.row.job_type in self._bulk_types,
            )
            for each in found
        }

    def _inspected(
        self,
        found: JobDetails,
        waiting: Waiting | None,
        actions: Sequence[JobAction],
        data: str | None = None,
    ) -> InspectedJob:
        row, now = found.row, self._clock.now()
        return InspectedJob(
            row=row,
            attempts=found.attempts,
            events=timeline(row, found.attempts, now, actions),
            why_waiting=waiting,
            left=time_left(row, now),
            is_due_later=not row.on_hold and row.execute_at > now,
            data=data,
            log=found.log,
            result=found.result,
            steps=found.steps,
            number_of_steps=found.number_of_steps,
            workflow_name=found.workflow_name,
            condition=found.condition,
            neighbours=found.neighbours,
        )
