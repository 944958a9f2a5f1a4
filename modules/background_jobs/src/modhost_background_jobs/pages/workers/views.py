"""The workers: the troubled ones first, those that left within a day, and quieting them."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.contracts import BackgroundJobs
from modhost_background_jobs.contracts.errors import MAX_WORKER_NAME
from modhost_background_jobs.inspection.snapshot import Snapshot, Snapshots
from modhost_background_jobs.model import Departure
from modhost_background_jobs.pages.notices import NoticeQuery, redirect
from modhost_background_jobs.permissions import MANAGE_JOBS
from modhost_background_jobs.queries.load import Departures, QueueLoad

PATH: Final = "/admin/jobs/workers"
ROWS: Final = 50


def workers_context(
    snapshot: Snapshot, departures: Departures, *, may_manage: bool
) -> dict[str, Any]:
    """Return the variables of the template, as far as they are live."""
    counts = departures.counts
    return {
        "workers": snapshot.workers,
        "departed": departures.last,
        "departures": [(each, counts[each]) for each in Departure if each in counts],
        "may_manage": may_manage,
    }


class Named(BaseModel):
    """A worker, as the address names it."""

    name: Annotated[str, Field(max_length=MAX_WORKER_NAME)]


async def show_workers(
    query: Query[NoticeQuery], load: QueueLoad, snapshots: Snapshots, visitor: Principal
) -> Page:
    """Show the workers, and those that left."""
    snapshot, departures = await snapshots.take(), await load.departures(ROWS)
    context = workers_context(snapshot, departures, may_manage=visitor.may(MANAGE_JOBS))
    return Page("workers/list.html", context | query.as_context(), "Workers")


async def quiet(query: Query[Named], jobs: BackgroundJobs) -> Response:
    """Have a worker claim no more jobs."""
    await jobs.quiet_worker(query.name)
    return redirect(PATH, "quieted")


async def resume(query: Query[Named], jobs: BackgroundJobs) -> Response:
    """Have a quiet worker claim jobs again."""
    await jobs.resume_worker(query.name)
    return redirect(PATH, "claims-again")
