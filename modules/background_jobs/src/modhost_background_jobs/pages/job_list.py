"""The list of jobs: a search, page by page."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias, get_args
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BeforeValidator

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.pages.notices import NoticeQuery
from modhost_background_jobs.pages.searches.saved import SavedSearches
from modhost_background_jobs.permissions import MANAGE_JOBS
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.search import JobBrowser, Order
from modhost_background_jobs.queries.search.job_search import JobSearch

PATH: Final = "/admin/jobs/list"
NEWEST: Final = 20
"""How many of the newest jobs are compared with those that are shown."""


Rows: TypeAlias = Literal[20, 50, 100, 200]
"""How many jobs a page has."""


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class ListPlace(JobSearch):
    """A search, and from which job on to go: to older ones or to newer ones."""

    before: UUID | None = None
    after: UUID | None = None
    rows: Annotated[Rows, BeforeValidator(_number)] = 50

    def place(self) -> list[tuple[str, str]]:
        """Return where the page begins, as names and values of a query string."""
        both = {"before": self.before, "after": self.after}
        return [(name, str(id_)) for name, id_ in both.items() if id_ is not None]

    def length(self) -> list[tuple[str, str]]:
        """Return how long the pages are, where that is not the default."""
        is_default = self.rows == ListPlace.model_fields["rows"].default
        return [] if is_default else [("rows", str(self.rows))]


class ListQuery(ListPlace, NoticeQuery):
    """A page of the list, with what was done there."""


async def show_list(
    query: Query[ListQuery],
    browser: JobBrowser,
    load: QueueLoad,
    types: JobTypes,
    visitor: Principal,
    saved: SavedSearches,
) -> Page:
    """Show the jobs of a search."""
    search = query.as_search()
    if query.after is not None:
        page = await browser.newer(search, query.after, query.rows)
    else:
        page = await browser.older(search, query.before, query.rows)
    pending = await load.pending_types()
    searched = query.as_query()
    shown = [*searched, *query.length()]
    chosen = [query.queue] if query.queue else []
    context = {
        "search": query,
        "searched": searched,
        "place": query.place(),
        "states": list(JobState),
        "types": sorted({*types.names, *pending, *await browser.finished_types()}),
        "queues": list(dict.fromkeys([*await browser.queues(), *chosen])),
        "rows": page.rows,
        "shown": shown,
        "orders": list(Order),
        "lengths": get_args(Rows),
        "newer": _link(shown, after=page.newer) if page.newer else None,
        "older": _link(shown, before=page.older) if page.older else None,
        "newest": _link(shown),
        "is_first": not query.place(),
        "checked_at_once": browser.batch_of(search),
        "without_errors": _without_errors(query),
        "page_rows": query.rows,
        "saved": await saved.of(visitor.id),
        "query": urlencode(shown),
        "may_manage": visitor.may(MANAGE_JOBS),
        **query.as_context(),
    }
    return Page("list.html", context, "All jobs")


def _without_errors(query: ListQuery) -> str | None:
    """Return where tags and summaries alone are searched, which have an index."""
    if not query.q or query.indexed:
        return None
    alone = query.model_copy(update={"indexed": True, "tracebacks": False})
    return _link([*alone.as_query(), *alone.length()])


def list_path(place: ListPlace) -> str:
    """Return the address of a page of the list."""
    return _link([*place.as_query(), *place.length(), *place.place()])


def _link(searched: Sequence[tuple[str, str]], **place: UUID) -> str:
    query = urlencode([*searched, *((name, str(id_)) for name, id_ in place.items())])
    return f"{PATH}?{query}" if query else PATH
