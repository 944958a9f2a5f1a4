"""The page `/reports`."""

from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from modhost import Principal
from modhost.web import FieldError, Form, HttpProblem, Page, Pages
from modhost_reports_example.contracts import (
    ReportRequest,
    ReportsContracts,
    ReportType,
    UnknownSource,
)
from modhost_reports_example.permissions import GENERATE, VIEW
from modhost_reports_example.sources import Sources


def map_pages(pages: Pages) -> None:
    """Map the page and its form."""
    pages.get("/", show_reports, permission=VIEW)
    pages.post("/", request_report, permission=GENERATE)


class ReportForm(BaseModel):
    """The form that requests a report."""

    type: ReportType
    source: str


async def show_reports(reports: ReportsContracts, sources: Sources, visitor: Principal) -> Page:
    """Show the newest reports with their charts."""
    context = {
        "reports": await reports.latest(),
        "types": list(ReportType),
        "sources": sources.names(),
        "may_generate": visitor.may(GENERATE),
    }
    return Page("reports.html", context, "Reports")


async def request_report(form: Form[ReportForm], reports: ReportsContracts) -> Response:
    """Request a report, and return to the page."""
    try:
        await reports.request(ReportRequest(type=form.type, source=form.source))
    except UnknownSource as error:
        errors = [FieldError("source", str(error))]
        raise HttpProblem(422, str(error), errors=errors) from error
    return RedirectResponse("/reports", 303)
