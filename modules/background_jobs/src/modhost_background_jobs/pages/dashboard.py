"""The dashboard."""

from typing import Any, Final

from pydantic import BaseModel

from modhost.web import Page, Query
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.pages import charts
from modhost_background_jobs.services.browsing import Browsing
from modhost_background_jobs.services.overview import Overview, Span
from modhost_background_jobs.services.searching import JobSearch

ROWS: Final = 8


class DashboardQuery(BaseModel):
    """How far back the charts go."""

    span: Span = "hour"


class Dashboard:
    """Gathers what the dashboard shows."""

    def __init__(self, overview: Overview, browsing: Browsing) -> None:
        self._overview = overview
        self._browsing = browsing

    async def context(self, span: Span) -> dict[str, Any]:
        """Return the variables of the template."""
        history = await self._overview.history(span)
        running = await self._browsing.page(JobSearch(state=JobState.RUNNING), limit=ROWS)
        return {
            "span": span,
            "summary": await self._overview.summary(),
            "attention": await self._overview.attention(),
            "workers": await self._overview.workers(),
            "running": running.rows,
            "failed": await self._browsing.latest_failures(ROWS),
            "history": history,
            "throughput": charts.throughput(history),
            "waits": charts.waits(history),
            "runs": charts.runs(history),
        }


async def show_dashboard(query: Query[DashboardQuery], dashboard: Dashboard) -> Page:
    """Show how the queue is doing."""
    return Page("dashboard.html", await dashboard.context(query.span), "Background jobs")
