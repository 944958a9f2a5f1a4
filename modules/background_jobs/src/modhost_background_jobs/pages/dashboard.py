"""The dashboard."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel

from modhost.web import Page, Query
from modhost_background_jobs.monitoring.alerts import alerts_of
from modhost_background_jobs.monitoring.overview import Overview, Span, Summary
from modhost_background_jobs.monitoring.snapshot import Snapshot
from modhost_background_jobs.pages import charts
from modhost_background_jobs.queries.job_search import Browsing
from modhost_background_jobs.queries.listing import Row

ROWS: Final = 8


class DashboardQuery(BaseModel):
    """How far back the charts go."""

    span: Span = "hour"


class Dashboard:
    """Gathers what the dashboard shows."""

    def __init__(self, overview: Overview, browsing: Browsing) -> None:
        self._overview = overview
        self._browsing = browsing

    async def context(self, span: Span, snapshot: Snapshot) -> dict[str, Any]:
        """Return the variables of the template."""
        history = await self._overview.history(span)
        failed = await self._browsing.latest_failures(ROWS)
        return {
            "span": span,
            "summary": _no_less(await self._overview.summary(snapshot), failed, snapshot),
            "attention": alerts_of(snapshot),
            "workers": snapshot.workers,
            "running": snapshot.running[:ROWS],
            "failed": failed,
            "history": history,
            "throughput": charts.throughput(history),
            "waits": charts.waits(history),
            "runs": charts.runs(history),
        }


def _no_less(summary: Summary, failed: Sequence[Row], snapshot: Snapshot) -> Summary:
    """Return the counts with the failures of the last second, which no roll-up has yet."""
    day_ago = snapshot.now - timedelta(days=1)
    known = sum(row["completed_at"] >= day_ago for row in failed)
    return replace(summary, failed_last_day=max(summary.failed_last_day, known))


async def show_dashboard(
    query: Query[DashboardQuery], dashboard: Dashboard, overview: Overview
) -> Page:
    """Show how the queue is doing."""
    context = await dashboard.context(query.span, await overview.look())
    return Page("dashboard.html", context, "Background jobs")


async def show_workers(overview: Overview) -> Page:
    """Show the workers with their load."""
    return Page("workers.html", {"workers": (await overview.look()).workers}, "Workers")
