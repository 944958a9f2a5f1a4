"""Outcomes of actions, shown on the page that follows: the address has a name for each."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

_TEXTS: Final = {
    "cancelled": ("good", "The job is cancelled."),
    "stopping": ("good", "The job was asked to stop; it is cancelled as soon as it has."),
    "retried": ("good", "The job waits for its next attempt."),
    "due-now": ("good", "The job is due now."),
    "not-now": (
        "warn",
        "Nothing was done: the job had started already, or waits for other jobs.",
    ),
    "rescheduled": ("good", "The job has its new time."),
    "job-deleted": ("good", "The job is deleted."),
    "needed": (
        "warn",
        "Nothing was done: the job, its workflow or a job after it is unfinished.",
    ),
    "enqueued": ("good", "This job is the new one, with the input as you edited it."),
    "run-now": ("good", "This run was started by hand, besides the due times of its schedule."),
    "created": ("good", "The recurring job is created."),
    "edited": ("good", "The recurring job is changed; runs that wait already stay as they are."),
    "enabled": ("good", "The schedule {name} is enabled."),
    "disabled": ("good", "The schedule {name} is disabled; what it misses is not caught up."),
    "unreadable": ("warn", "Nothing was done: the schedule {name} cannot fire on this machine."),
    "deleted": ("good", "The schedule is deleted; its past runs stay."),
    "changing": (
        "good",
        "This background job makes the change. Cancel it to stop.",
    ),
    "too-late": ("warn", "Nothing was done: the job was in another state already."),
    "none-selected": ("warn", "Nothing was done: no job was selected."),
    "search-saved": ("good", "The search is kept; its link is above the list."),
    "search-unnamed": ("warn", "Nothing was kept: give the search a name."),
    "search-full": ("warn", "Nothing was kept: you have 20 searches, forget one of them first."),
    "search-forgotten": ("good", "The search is forgotten."),
    "paused": ("good", "It is paused: no worker starts another of its jobs."),
    "resumed": ("good", "It is resumed: workers start its jobs again."),
    "quieted": ("good", "The worker claims no more jobs, and finishes those that it runs."),
    "claims-again": ("good", "The worker claims jobs again."),
    "limit-set": ("good", "The limit holds in all workers, and deploys leave it alone."),
    "limit-reset": ("good", "The limit is the one of its class again."),
    "workflow-cancelled": ("good", "The workflow is cancelled."),
    "workflow-stopping": ("good", "Its pending jobs are cancelled, and those that run stop."),
    "workflow-retried": ("good", "What had failed runs again, and what waits for it."),
    "workflow-left": (
        "warn",
        "Nothing was done: no job has failed, or other jobs have the keys of those that have.",
    ),
    "workflow-too-late": ("warn", "Nothing was done: its jobs were in other states already."),
    "gone": ("warn", "Nothing was done: the schedule does not exist any more."),
}
_COUNTED: Final = {
    "cancel": "Cancelled, or asked to stop: {done}. Skipped, already finished: {left}.",
    "retry": "Queued again: {done}. Skipped, not failed: {left}.",
    "run_now": "Due now: {done}. Skipped, not pending or waiting for other jobs: {left}.",
    "reschedule": "Rescheduled: {done}. Skipped, not pending: {left}.",
    "delete": "Deleted: {done}. Skipped, unfinished or still needed: {left}.",
}


class NoticeQuery(BaseModel):
    """An outcome as the address names it; `schedule` is the one that it is about."""

    notice: str = ""
    schedule: UUID | None = None
    done: int = Field(default=0, ge=0)
    left: int = Field(default=0, ge=0)

    def as_context(self, name: str = "") -> dict[str, Any]:
        """Return the variables of the template; an unknown outcome shows nothing.

        `name` is that of the schedule.
        """
        if self.notice in _COUNTED:
            text = _COUNTED[self.notice].format(done=self.done, left=self.left)
            return {"notice_kind": "good" if self.done else "warn", "notice_text": text}
        kind, text = _TEXTS.get(self.notice, ("good", ""))
        text = text.replace(" {name}", f" {name}" if name else "")
        return {"notice_kind": kind, "notice_text": text}


def redirect(path: str, notice: str, *, to: str = "", **values: object) -> Response:
    """Send the browser to a page that shows the outcome, and there to the element of an id."""
    query = urlencode({"notice": notice, **values})
    separator = "&" if "?" in path else "?"
    return RedirectResponse(f"{path}{separator}{query}{to and f'#{to}'}", 303)
