"""What an attempt remembers for later ones: the steps that it has done, and how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from modhost_background_jobs.model.attempt import Lease


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step that is done; `number` is its place among the steps of its job, from 1.

    `result` is what its function returned, as JSON; None for nothing.
    """

    name: str
    number: int
    started_at: datetime
    ended_at: datetime
    result: str | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far an attempt has come, as JSON; None for nothing any more."""

    lease: Lease
    value: str | None


class SavedStep(NamedTuple):
    """Whether the lease of a step still held, and whether the step was not there before."""

    is_held: bool
    is_new: bool
