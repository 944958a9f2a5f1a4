"""Workflows: jobs that wait for the ends of others, and how their own ends are judged."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from modhost_background_jobs.contracts.states import RunWhen


class Verdict(StrEnum):
    """What has become of a job that waited: released, or cancelled."""

    RUN = "run"
    CANCEL = "cancel"
    """Its condition can no longer come true; it is revived when that changes."""
    STOP = "stop"
    """Somebody has cancelled it while it waited."""


@dataclass(frozen=True, slots=True)
class Node:
    """What a job waits for, and the workflow that it belongs to.

    Attributes:
        workflow_id: the workflow; None for a job that merely continues others.
        after: the jobs that it waits for, in order, each once.
        when: which ends of them it runs after.
        is_on_hold: whether it waits when it is stored.
        is_awaited: whether its end changes anything: of its workflow, or of other jobs.
        is_named: whether its id is one of the caller's own.

    """

    workflow_id: UUID | None
    after: tuple[UUID, ...] = ()
    when: RunWhen = "succeeded"
    is_on_hold: bool = False
    is_awaited: bool = False
    is_named: bool = False


@dataclass(frozen=True, slots=True)
class NewWorkflow:
    """A workflow to store."""

    id: UUID
    name: str
    created_at: datetime
    created_by: str | None


def doomed_reason(when: str, before: UUID, *, has_failed: bool) -> str:
    """Return why a job is cancelled that can no longer run; `before` is the job that decided it."""
    if when == "failed":
        return f"cancelled: it runs when a job before it fails, and they completed, {before} last."
    became = "failed or was cancelled" if has_failed else "was cancelled"
    return f"cancelled: the job {before} {became}, and this one runs when it succeeds."
