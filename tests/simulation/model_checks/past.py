"""What holds from one step to the next, whatever the model says."""

from typing import Any
from uuid import UUID

from modhost_background_jobs.contracts import JobState


class Past:
    """The states and fences before a step.

    `excused` are the jobs that this step may delete, or move from a final state.
    """

    def __init__(self) -> None:
        self.excused: set[UUID] = set()
        self._states: dict[UUID, tuple[JobState, int]] = {}

    def check(self, rows: dict[UUID, tuple[Any, ...]]) -> None:
        """Nothing is lost, a fence never decreases, and a final state stays."""
        for job_id, (state, fence) in self._states.items():
            if job_id in self.excused and job_id not in rows:
                continue
            assert job_id in rows
            assert rows[job_id][1] >= fence
            if state.is_final and job_id not in self.excused:
                assert rows[job_id][0] == state
        self._states = {job_id: (JobState(row[0]), row[1]) for job_id, row in rows.items()}
        self.excused = set()
