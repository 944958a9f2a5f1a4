"""Cancelling and retrying many jobs: what it will do is told first, with the number of jobs."""

from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from modhost import Principal
from modhost.audit import AuditLog
from modhost.web import Form, Page
from modhost_background_jobs.contracts import BackgroundJobs
from modhost_background_jobs.jobs.change_many_jobs import ChangeManyJobs
from modhost_background_jobs.pages.job import path_of
from modhost_background_jobs.pages.job_list import PATH
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.services.many_jobs import MOST_COUNTED, Change, ManyJobs
from modhost_background_jobs.services.searching import JobSearch


class ManyForm(JobSearch):
    """What to do, and to which jobs: those that were ticked, or all of the search."""

    change: Change
    id: list[UUID] = Field(default_factory=list, max_length=200)
    all: bool = False


async def confirm(form: Form[ManyForm], many: ManyJobs) -> Page | Response:
    """Say how many jobs it is, and ask."""
    if not form.all and not form.id:
        return redirect(PATH, "none-selected", **form.as_query())
    count = await many.count(form.change, form) if form.all else len(form.id)
    context = {
        "form": form,
        "searched": form.as_query(),
        "count": count,
        "is_bounded": count >= MOST_COUNTED,
    }
    title = "Cancel jobs" if form.change is Change.CANCEL else "Retry jobs"
    return Page("confirm_many.html", context, title)


async def apply(
    form: Form[ManyForm],
    many: ManyJobs,
    jobs: BackgroundJobs,
    audit: AuditLog,
    visitor: Principal,
) -> Response:
    """Do it: at once for jobs that were ticked, by a background job for a whole search."""
    if form.all:
        search = JobSearch.model_validate(form.as_query())
        order = many.now_asked(form.change, search, visitor.name)
        job_id = await jobs.schedule(ChangeManyJobs, await many.first_place(), order)
        detail = f"all of the search {form.as_query()}"
        await audit.record(f"jobs.{form.change.value}_many", f"job:{job_id}", detail=detail)
        return redirect(path_of(job_id), "changing")
    changed = await many.change(form.change, form.id)
    notice, done, left = form.change.value, changed.done, changed.left_alone
    return redirect(PATH, notice, done=done, left=left, **form.as_query())
