"""Cancelling and retrying many jobs: what it will do is told first, with the number of jobs."""

from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from modhost.web import Form, Page, Query
from modhost_background_jobs.bulk.changes import BulkChanges, BulkRequests, Change
from modhost_background_jobs.pages.job import path_of
from modhost_background_jobs.pages.job_list import ListPlace, list_path
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.queries.job_search import JobSearch
from modhost_background_jobs.queries.search import Count


class ManyForm(ListPlace):
    """What to do, and to which jobs: those that were ticked, or all of the search."""

    change: Change
    id: list[UUID] = Field(default_factory=list, max_length=200)
    all: bool = False


async def confirm(query: Query[ManyForm], many: BulkChanges) -> Page | Response:
    """Say how many jobs it is, and ask."""
    if not query.all and not query.id:
        return redirect(list_path(query), "none-selected")
    if query.all:
        count = await many.count(query.change, query)
    else:
        count = Count(len(query.id), is_all=True)
    context = {
        "form": query,
        "searched": query.as_query(),
        "place": query.place(),
        "back": list_path(query),
        "count": count.number,
        "is_bounded": not count.is_all,
    }
    title = "Cancel jobs" if query.change is Change.CANCEL else "Retry jobs"
    return Page("confirm_many.html", context, title)


async def apply(form: Form[ManyForm], many: BulkChanges, requests: BulkRequests) -> Response:
    """Do it: at once for jobs that were ticked, by a background job for a whole search."""
    if form.all:
        search = JobSearch.model_validate(form.as_query())
        return redirect(path_of(await requests.enqueue(form.change, search)), "changing")
    changed = await many.change(form.change, form.id)
    notice, done, left = form.change.value, changed.done, changed.left_alone
    return redirect(list_path(form), notice, done=done, left=left)
