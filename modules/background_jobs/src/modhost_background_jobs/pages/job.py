"""The page of one job, and what can be done to it."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse, Response

from modhost import HostInfo, Principal
from modhost.web import Form, HttpProblem, Page, Query
from modhost_background_jobs.client.run_again import Rerunning, UnreadableInput
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobConflict,
    JobId,
    JobNotFound,
    JobState,
)
from modhost_background_jobs.inspection.job import LOG_LINES, InspectedJob, JobInspection
from modhost_background_jobs.pages.notices import NoticeQuery, redirect
from modhost_background_jobs.permissions import MANAGE_JOBS


class JobQuery(NoticeQuery):
    """Which lines of the log to show."""

    log: Annotated[str | None, Field(max_length=200)] = None


class RunAgainForm(BaseModel):
    """The edited input, as JSON."""

    data: str = ""


def job_context(job: InspectedJob, *, may_manage: bool) -> dict[str, Any]:
    """Return the variables of the template, as far as they are live."""
    return {"job": job, "row": job.row, "may_manage": may_manage}


async def show_job(
    id: UUID,  # noqa: A002
    query: Query[JobQuery],
    inspection: JobInspection,
    visitor: Principal,
    host: HostInfo,
) -> Page:
    """Show all that is known of a job."""
    job = await inspection.inspect(id, query.log)
    context = job_context(job, may_manage=visitor.may(MANAGE_JOBS))
    context["trace_link"] = host.trace_link(job.row.trace_id)
    context |= {"log_words": query.log or "", "log_lines": LOG_LINES, **query.as_context()}
    return Page("job.html", context, job.row.job_type.rpartition(".")[2])


async def download_log(id: UUID, jobs: BackgroundJobsContracts) -> Response:  # noqa: A002
    """Send the whole log as a text file."""
    detail = await jobs.get_job_detail(JobId(id))
    if detail is None:
        raise JobNotFound(id)
    lines = [f"{entry.timestamp:%Y-%m-%dT%H:%M:%S.%fZ} {entry.message}\n" for entry in detail.logs]
    headers = {"Content-Disposition": f'attachment; filename="job-{id}.log"'}
    return PlainTextResponse("".join(lines), headers=headers)


async def download_input(id: UUID, inspection: JobInspection) -> Response:  # noqa: A002
    """Send the whole input of a job as people see it: secrets are masked."""
    return _json_file(id, "input", (await inspection.inspect(id)).data)


async def download_result(id: UUID, inspection: JobInspection) -> Response:  # noqa: A002
    """Send the whole result of a job as people see it."""
    return _json_file(id, "result", (await inspection.inspect(id)).shown_result)


def _json_file(job_id: UUID, name: str, text: str | None) -> Response:
    if text is None:
        raise HttpProblem(404, f"The job {job_id} has no {name}.")
    headers = {"Content-Disposition": f'attachment; filename="job-{job_id}-{name}.json"'}
    return Response(text, headers=headers, media_type="application/json")


async def cancel(id: UUID, jobs: BackgroundJobs) -> Response:  # noqa: A002
    """Cancel a pending job, or ask a running one to stop."""
    try:
        status = await jobs.cancel(JobId(id))
    except JobConflict:
        return redirect(path_of(id), "too-late")
    return redirect(path_of(id), "cancelled" if status.state is JobState.CANCELLED else "stopping")


async def retry(id: UUID, jobs: BackgroundJobsContracts) -> Response:  # noqa: A002
    """Queue a failed job again."""
    try:
        await jobs.retry(JobId(id))
    except JobConflict:
        return redirect(path_of(id), "too-late")
    return redirect(path_of(id), "retried")


async def edit_input(id: UUID, inspection: JobInspection) -> Page:  # noqa: A002
    """Show the input of a job, to be edited and run."""
    job = await inspection.inspect(id)
    return _edit_page(job, job.data or "")


async def run_again(
    id: UUID,  # noqa: A002
    form: Form[RunAgainForm],
    rerunning: Rerunning,
    inspection: JobInspection,
) -> Page | Response:
    """Enqueue a new job with the edited input."""
    try:
        new = await rerunning.run_again(id, form.data)
    except UnreadableInput as error:
        return _edit_page(await inspection.inspect(id), form.data, error.problems)
    return redirect(path_of(new), "enqueued")


def path_of(job_id: UUID) -> str:
    """Return the address of a job's page."""
    return f"/admin/jobs/{job_id}"


def _edit_page(job: InspectedJob, data: str, problems: Sequence[str] = ()) -> Page:
    context = {"job": job, "row": job.row, "data": data, "problems": problems}
    return Page("run_again.html", context, "Run again", 422 if problems else 200)
