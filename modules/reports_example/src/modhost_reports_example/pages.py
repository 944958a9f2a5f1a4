"""The page `/reports`."""

from collections.abc import Sequence
from uuid import UUID

import anyio
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from modhost import Principal, Settings
from modhost.web import FieldError, Form, HttpProblem, Page, Pages, Query
from modhost_background_jobs.contracts import JobId
from modhost_reports_example.computing.drawing import Drawing, draw
from modhost_reports_example.contracts import (
    ReportRequest,
    ReportsContracts,
    ReportStatus,
    ReportType,
    UnknownSource,
)
from modhost_reports_example.options import ReportsSettings
from modhost_reports_example.permissions import GENERATE, VIEW
from modhost_reports_example.sources import Sources


def map_pages(pages: Pages) -> None:
    """Map the page and its form."""
    pages.get("/", show_reports, permission=VIEW)
    pages.post("/", request_report, permission=GENERATE)
    pages.post("/compare", compare_years, permission=GENERATE)


class ReportForm(BaseModel):
    """The form that requests a report."""

    type: ReportType
    source: str


class ComparisonForm(BaseModel):
    """The form that has the years of a source compared."""

    source: str


class ReportsQuery(BaseModel):
    """The workflow that was started here, if one was."""

    workflow: UUID | None = None


async def show_reports(
    query: Query[ReportsQuery],
    reports: ReportsContracts,
    sources: Sources,
    settings: Settings[ReportsSettings],
    visitor: Principal,
) -> Page:
    """Show the newest reports with their charts."""
    latest = await reports.latest(settings.current.reports_shown)
    context = {
        "reports": latest,
        "drawings": await anyio.to_thread.run_sync(_drawings, latest),
        "types": list(ReportType),
        "sources": sources.names(),
        "workflow": query.workflow,
        "may_generate": visitor.may(GENERATE),
    }
    return Page("reports.html", context, "Reports")


async def newest_report(reports: ReportsContracts) -> Page | None:
    """Show the newest report on the start page, once there is one."""
    found = next((each for each in await reports.latest(5) if each.is_finished), None)
    if found is None:
        return None
    drawings = await anyio.to_thread.run_sync(_drawings, [found])
    context = {"report": found, "drawing": drawings[found.job_id]}
    return Page("newest_report.html", context, "Newest report")


def _drawings(reports: Sequence[ReportStatus]) -> dict[JobId, Drawing]:
    """Return the charts of those that are finished."""
    return {
        each.job_id: draw(each.type, each.rows, each.completed_at or each.created_at)
        for each in reports
        if each.is_finished
    }


async def request_report(form: Form[ReportForm], reports: ReportsContracts) -> Response:
    """Request a report, and return to the page."""
    try:
        await reports.request(ReportRequest(type=form.type, source=form.source))
    except UnknownSource as error:
        raise _unknown(error) from error
    return RedirectResponse("/reports", 303)


async def compare_years(form: Form[ComparisonForm], reports: ReportsContracts) -> Response:
    """Start the workflow, and return to the page, which links to its graph."""
    try:
        workflow_id = await reports.compare_years(form.source)
    except UnknownSource as error:
        raise _unknown(error) from error
    return RedirectResponse(f"/reports?workflow={workflow_id}", 303)


def _unknown(error: UnknownSource) -> HttpProblem:
    return HttpProblem(422, str(error), errors=[FieldError("source", str(error))])
