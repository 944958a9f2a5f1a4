"""Queues, job types and limits: what waits and runs, and what operators change of it."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from modhost import Principal
from modhost.web import Form, Page, Query
from modhost_background_jobs.client.flow import MAX_REASON
from modhost_background_jobs.client.limit_changes import MAX_LIMIT, LimitChanges
from modhost_background_jobs.contracts import BackgroundJobs
from modhost_background_jobs.inspection.limits import LimitReader, LimitView
from modhost_background_jobs.inspection.queues import Queues, QueueView
from modhost_background_jobs.model.pauses import PauseKind
from modhost_background_jobs.pages.notices import NoticeQuery, redirect
from modhost_background_jobs.pages.types import path_of_type
from modhost_background_jobs.permissions import MANAGE_JOBS
from modhost_background_jobs.storage import QueueClock

PATH: Final = "/admin/jobs/queues"
ENDS: Final = {"15m": 15, "1h": 60, "4h": 240, "1d": 1440, "7d": 10_080}
"""After how many minutes a pause may end by itself."""


class FlowPage:
    """Gathers the content of the page."""

    def __init__(self, queues: Queues, limits: LimitReader) -> None:
        self._queues = queues
        self._limits = limits

    async def context(self, *, may_manage: bool) -> dict[str, Any]:
        """Return the variables of the template, as far as they are live."""
        queues, types = await self._queues.all()
        return flow_context(queues, types, await self._limits.all(), may_manage=may_manage)


def flow_context(
    queues: list[QueueView], types: list[QueueView], limits: list[LimitView], *, may_manage: bool
) -> dict[str, Any]:
    """Return the variables of the template."""
    lines = [("queue", "Queues", "Queue", queues), ("type", "Job types", "Type", types)]
    return {"lines": lines, "limits": limits, "may_manage": may_manage}


class Paused(BaseModel):
    """What is paused or resumed, as the address names it, and which page asked for it."""

    kind: PauseKind
    name: Annotated[str, Field(max_length=500)]
    back: Literal["queues", "type"] = "queues"

    @property
    def path(self) -> str:
        """The address of the page that asked."""
        return PATH if self.back == "queues" else path_of_type(self.name)


class PauseForm(BaseModel):
    """Why, and after which span the pause ends by itself; empty for never."""

    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    ends: Literal["", "15m", "1h", "4h", "1d", "7d"] = ""


class Limited(BaseModel):
    """A limit, as the address names it."""

    name: Annotated[str, Field(max_length=500)]


class LimitForm(BaseModel):
    """The number to set."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)]


async def show_queues(query: Query[NoticeQuery], page: FlowPage, visitor: Principal) -> Page:
    """Show all queues, job types and limits."""
    context = await page.context(may_manage=visitor.may(MANAGE_JOBS))
    return Page("flow/queues.html", context | query.as_context(), "Queues and limits")


async def ask_pause(query: Query[Paused], queues: Queues) -> Page:
    """Ask why, and until when."""
    find = queues.queue if query.kind == "queue" else queues.job_type
    context = {
        "kind": query.kind,
        "status": await find(query.name),
        "asked": query,
        "max_reason": MAX_REASON,
    }
    what = "queue" if query.kind == "queue" else "job type"
    return Page("flow/pause.html", context, f"Pause the {what} {query.name}")


async def pause(
    query: Query[Paused], form: Form[PauseForm], jobs: BackgroundJobs, clock: QueueClock
) -> Response:
    """Pause a queue or a job type."""
    minutes = ENDS.get(form.ends)
    until = None if minutes is None else clock.now() + timedelta(minutes=minutes)
    change = jobs.pause_queue if query.kind == "queue" else jobs.pause_job_type
    await change(query.name, until=until, reason=form.reason)
    return redirect(query.path, "paused")


async def resume(query: Query[Paused], jobs: BackgroundJobs) -> Response:
    """End the pause of a queue or a job type."""
    change = jobs.resume_queue if query.kind == "queue" else jobs.resume_job_type
    await change(query.name)
    return redirect(query.path, "resumed")


async def ask_limit(query: Query[Limited], limits: LimitReader) -> Page:
    """Ask which number a limit is to have."""
    context = {"limit": await limits.find(query.name), "max_limit": MAX_LIMIT}
    return Page("flow/limit.html", context, f"Change the limit {query.name}")


async def set_limit(
    query: Query[Limited], form: Form[LimitForm], changes: LimitChanges
) -> Response:
    """Set the number of a limit."""
    await changes.set(query.name, form.limit)
    return redirect(PATH, "limit-set")


async def reset_limit(query: Query[Limited], changes: LimitChanges) -> Response:
    """Go back to the number that the class gives a limit."""
    await changes.set(query.name, None)
    return redirect(PATH, "limit-reset")
