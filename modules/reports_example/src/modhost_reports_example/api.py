"""The routes of `/api/reports`."""

from datetime import datetime
from functools import partial
from typing import Annotated, Final
from uuid import UUID

import anyio
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from modhost.web import Endpoints, FieldError, HttpProblem, Query, Reply, media_type, read_json
from modhost_background_jobs.contracts import InvalidJobData, JobId
from modhost_reports_example.computing.exporting import as_csv, as_svg
from modhost_reports_example.contracts import (
    Report,
    ReportNotFinished,
    ReportNotFound,
    ReportRequest,
    ReportsContracts,
    ReportType,
    UnknownSource,
)
from modhost_reports_example.options import ReportsOptions
from modhost_reports_example.permissions import GENERATE, VIEW
from modhost_reports_example.sources import Sources

# The chart styles itself; it can neither run scripts nor load anything.
_CHART_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"
}


def map_endpoints(endpoints: Endpoints, options: ReportsOptions) -> None:
    """Map the routes."""
    endpoints.map_error(ReportNotFound, 404)
    endpoints.map_error(ReportNotFinished, 409)
    endpoints.post(
        "/",
        request_report,
        permission=GENERATE,
        status=202,
        body_limit=options.max_upload_bytes,
        accepts={"application/json": Order, "text/csv": str},
    )
    endpoints.get("/{job_id}.csv", get_csv, permission=VIEW)
    endpoints.get("/{job_id}.svg", get_svg, permission=VIEW)
    endpoints.get("/{job_id}", get_report, permission=VIEW)


class Order(BaseModel):
    """A request for a report, as JSON."""

    model_config = ConfigDict(extra="forbid")

    type: ReportType
    source: Annotated[str, Field(max_length=200, examples=["seattle-weather"])]
    execute_at: AwareDatetime | None = None


class UploadQuery(BaseModel):
    """The query string beside a CSV in the body."""

    type: ReportType | None = None


class Requested(BaseModel):
    """The job that makes the report."""

    job_id: JobId


async def request_report(
    request: Request, query: Query[UploadQuery], reports: ReportsContracts, sources: Sources
) -> Reply[Requested]:
    """Request a report on a shipped source, or on the CSV in the body."""
    if media_type(request) != "text/csv":
        order = await read_json(request, Order)
        on_source = ReportRequest(type=order.type, source=order.source)
        return await _request(reports, on_source, order.execute_at)
    if query.type is None:
        detail = "Add ?type=monthly or ?type=yearly to choose the period of the report."
        raise HttpProblem(422, detail, errors=[FieldError("type", "monthly or yearly")])
    upload = await sources.store(request.stream())
    try:
        on_upload = ReportRequest(type=query.type, source="upload", upload=upload)
        return await _request(reports, on_upload)
    except BaseException:
        sources.delete(upload)
        raise


async def _request(
    reports: ReportsContracts, request: ReportRequest, execute_at: datetime | None = None
) -> Reply[Requested]:
    try:
        job_id = await reports.request(request, execute_at)
    except (UnknownSource, InvalidJobData) as error:
        field = "source" if isinstance(error, UnknownSource) else "execute_at"
        errors = [FieldError(field, str(error))]
        raise HttpProblem(422, str(error), errors=errors) from error
    return Reply(Requested(job_id=job_id), headers={"Location": f"/api/jobs/{job_id}"})


async def get_report(job_id: UUID, reports: ReportsContracts) -> Report:
    """Return a finished report."""
    return await reports.get(JobId(job_id))


async def get_csv(job_id: UUID, reports: ReportsContracts) -> Response:
    """Return a finished report as CSV."""
    report = await reports.get(JobId(job_id))
    name = {"Content-Disposition": f'attachment; filename="report-{job_id}.csv"'}
    return Response(as_csv(report), media_type="text/csv", headers=name)


class ChartQuery(BaseModel):
    """The form of the chart: `narrow` is for phones."""

    narrow: bool = False


async def get_svg(job_id: UUID, query: Query[ChartQuery], reports: ReportsContracts) -> Response:
    """Return a finished report as a chart."""
    report = await reports.get(JobId(job_id))
    svg = await anyio.to_thread.run_sync(partial(as_svg, report, is_narrow=query.narrow))
    return Response(svg, media_type="image/svg+xml", headers=_CHART_HEADERS)
