"""The dashboard."""

from typing import Any, Final

from pydantic import BaseModel

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.inspection.alerts import alerts_of
from modhost_background_jobs.inspection.overview import Overview, Span
from modhost_background_jobs.inspection.snapshot import Snapshot, Snapshots
from modhost_background_jobs.inspection.waiting import describe_pause
from modhost_background_jobs.pages import charts
from modhost_background_jobs.permissions import MANAGE_JOBS
from modhost_background_jobs.queries.listing import JobListing
from modhost_background_jobs.queries.load import Departures, QueueLoad

ROWS: Final = 8
ALERTS: Final = 3
BARS: Final[dict[Span, str]] = {"hour": "minute", "day": "half hour", "week": "3 hours"}


class DashboardQuery(BaseModel):
    """How far back the charts go."""

    span: Span = "hour"


class Dashboard:
    """Gathers the content of the dashboard."""

    def __init__(self, overview: Overview, listing: JobListing) -> None:
        self._overview = overview
        self._listing = listing

    async def context(
        self, span: Span, snapshot: Snapshot, departures: Departures
    ) -> dict[str, Any]:
        """Return the variables of the template."""
        history = await self._overview.history(span)
        return {
            "span": span,
            "bar": BARS[span],
            "summary": await self._overview.summary(snapshot),
            "alerts": alerts_of(snapshot),
            "paused": [(describe_pause(each.pause), each) for each in snapshot.paused],
            "workers": snapshot.workers,
            "lost_workers": departures.lost,
            "running": snapshot.running[:ROWS],
            "failed": await self._listing.latest_failures(ROWS),
            "history": history,
            "deployments": charts.deployments(history, await self._overview.versions(history)),
            "throughput": charts.throughput(history),
            "waits": charts.waits(history),
            "runs": charts.runs(history),
        }


async def show_dashboard(
    query: Query[DashboardQuery],
    dashboard: Dashboard,
    snapshots: Snapshots,
    load: QueueLoad,
    visitor: Principal,
) -> Page:
    """Show how the queue is doing."""
    snapshot = await snapshots.take()
    context = await dashboard.context(query.span, snapshot, await load.departures())
    context |= {"may_manage": visitor.may(MANAGE_JOBS), "today": snapshot.now.date().isoformat()}
    return Page("dashboard.html", context, "Background jobs")


async def show_state(overview: Overview, snapshots: Snapshots) -> Page:
    """Show the state of the queue on the start page: a few figures, and what needs attention."""
    snapshot = await snapshots.take()
    context = {
        "summary": await overview.summary(snapshot),
        "workers": snapshot.alive,
        "alerts": alerts_of(snapshot)[:ALERTS],
        "now": snapshot.now,
    }
    return Page("state_card.html", context, "Background jobs")
