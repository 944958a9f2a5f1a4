"""The list of jobs: a search, page by page."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.pages.notices import NoticeQuery
from modhost_background_jobs.permissions import MANAGE_JOBS
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.search import JobBrowser
from modhost_background_jobs.queries.search.job_search import JobSearch

PATH: Final = "/admin/jobs/list"
ROWS: Final = 20


class ListPlace(JobSearch):
    """A search, and from which job on to go: to older ones or to newer ones."""

    before: UUID | None = None
    after: UUID | None = None

    def place(self) -> list[tuple[str, str]]:
        """Return where the page begins, as names and values of a query string."""
        both = {"before": self.before, "after": self.after}
        return [(name, str(id_)) for name, id_ in both.items() if id_ is not None]


class ListQuery(ListPlace, NoticeQuery):
    """A page of the list, with what was done there."""


async def show_list(
    query: Query[ListQuery],
    browser: JobBrowser,
    load: QueueLoad,
    types: JobTypes,
    visitor: Principal,
) -> Page:
    """Show the jobs of a search."""
    search = query.as_search()
    if query.after is not None:
        page = await browser.newer(search, query.after, ROWS)
    else:
        page = await browser.older(search, query.before, ROWS)
    pending = await load.pending_types()
    searched = query.as_query()
    chosen = [query.queue] if query.queue else []
    context = {
        "search": query,
        "searched": searched,
        "place": query.place(),
        "states": list(JobState),
        "types": sorted({*types.names, *pending, *await browser.finished_types()}),
        "queues": list(dict.fromkeys([*await browser.queues(), *chosen])),
        "rows": page.rows,
        "newer": _link(searched, after=page.newer) if page.newer else None,
        "older": _link(searched, before=page.older) if page.older else None,
        "newest": _link(searched),
        "is_first": not query.place(),
        "checked_at_once": browser.batch_of(search),
        "page_rows": ROWS,
        "may_manage": visitor.may(MANAGE_JOBS),
        **query.as_context(),
    }
    return Page("list.html", context, "All jobs")


def list_path(place: ListPlace) -> str:
    """Return the address of a page of the list."""
    return _link([*place.as_query(), *place.place()])


def _link(searched: Sequence[tuple[str, str]], **place: UUID) -> str:
    query = urlencode([*searched, *((name, str(id_)) for name, id_ in place.items())])
    return f"{PATH}?{query}" if query else PATH
