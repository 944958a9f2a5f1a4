"""The jobs in the tables, as a history has them."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from modhost_background_jobs.contracts import JobState

_COLUMNS: Final = "id, state, fence, attempts_left, worker, job_type, due_at"
_PLACE: Final = "CASE WHEN state = 'Pending' THEN coalesce(place_at, execute_at) END"
ROWS: Final = f"""
SELECT {_COLUMNS}, cancel_requested_at IS NOT NULL, recurring_job_id IS NOT NULL, on_hold,
    held_by, {_PLACE}
FROM {{prefix}}jobs
UNION ALL
SELECT {_COLUMNS}, false, recurring_job_id IS NOT NULL, false, NULL, NULL
FROM {{prefix}}finished_jobs
"""


class Row(NamedTuple):
    """A job in the tables."""

    state: JobState
    fence: int
    attempts_left: int
    worker: str | None
    job_type: str
    due_at: str | None
    """The time of a schedule that it is for."""
    is_to_stop: bool
    is_recurring: bool
    on_hold: bool
    held_by: str | None
    place: str | None
    """Where a pending one stands in its order."""

    @property
    def can_be_claimed(self) -> bool:
        """Whether it waits for nothing but its due time."""
        return self.state is JobState.PENDING and not self.on_hold and self.held_by is None


def row_of(values: Sequence[Any]) -> Row:
    """Return a job from its columns in the tables."""
    _, state, fence, left, worker, job_type, due_at, *others = values
    is_to_stop, is_recurring, on_hold, held_by, place = others
    return Row(
        JobState(state),
        fence,
        left,
        worker,
        job_type,
        None if due_at is None else str(due_at),
        bool(is_to_stop),
        bool(is_recurring),
        bool(on_hold),
        held_by,
        None if place is None else str(place),
    )
