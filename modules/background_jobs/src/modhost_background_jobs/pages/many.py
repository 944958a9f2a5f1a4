"""Changes of many jobs, with a question that weighs what they do."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from pydantic import Field
from starlette.responses import RedirectResponse, Response

from modhost.web import Form, HttpProblem, Page, Query
from modhost_background_jobs.bulk.change import Change
from modhost_background_jobs.bulk.changes import BulkChanges, BulkRequests
from modhost_background_jobs.client.limits import due_time
from modhost_background_jobs.pages.job import path_of
from modhost_background_jobs.pages.job_list import ListPlace, list_path
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.queries.search import Kinds
from modhost_background_jobs.queries.search.job_search import JobSearch
from modhost_background_jobs.queries.search.local_times import UTC_NAME, ZoneName, in_zone

MAX_UNTYPED: Final = 1_000
"""How many jobs are changed without typing their number."""
MAX_ADDRESS: Final = 2_000
"""How long an address may be that all proxies take."""
MAX_KINDS: Final = 20
"""How many states and types are shown with their numbers."""


class ManyForm(ListPlace):
    """What to do, and to which jobs: those that were ticked, or all of the search."""

    change: Change
    id: list[UUID] = Field(default_factory=list, max_length=200)
    all: bool = False

    def as_link(self) -> list[tuple[str, str]]:
        """Return all of it as names and values of a query string."""
        which = [("all", "true")] if self.all else [("id", str(each)) for each in self.id]
        search = [*self.as_query(), *self.length(), *self.place()]
        return [("change", self.change.value), *which, *search]


class ConfirmedForm(ManyForm):
    """The same, the number that was shown, what was typed for it, and the time to move jobs to."""

    shown: int = 0
    typed: str = Field(default="", max_length=40)
    execute_at: datetime | None = None
    execute_zone: ZoneName = UTC_NAME

    @property
    def is_typed(self) -> bool:
        """Whether the number that was shown was typed, with or without separators."""
        digits = "".join(each for each in self.typed if each.isdecimal())
        return bool(digits) and digits == str(self.shown)

    @property
    def due_at(self) -> datetime | None:
        """The time to move jobs to, in UTC; None where none is needed."""
        if self.change is not Change.RESCHEDULE:
            return None
        if self.execute_at is None:
            raise HttpProblem(422, "Give the time to which the jobs are to be moved.")
        return due_time(in_zone(self.execute_at, self.execute_zone))


async def confirm(form: Form[ManyForm], many: BulkChanges) -> Page | Response:
    """Ask under an address, to which Back leads too, or here where that would be too long."""
    if not form.all and not form.id:
        return redirect(list_path(form), "none-selected")
    asked = f"/admin/jobs/many?{urlencode(form.as_link())}"
    if len(asked) <= MAX_ADDRESS:
        return RedirectResponse(asked, 303)
    return _question(form, await _kinds(form, many))


async def confirm_by_link(query: Query[ManyForm], many: BulkChanges) -> Page | Response:
    """Say how many jobs of which states and types it is, and ask."""
    if not query.all and not query.id:
        return redirect(list_path(query), "none-selected")
    return _question(query, await _kinds(query, many))


async def apply(
    form: Form[ConfirmedForm], many: BulkChanges, requests: BulkRequests
) -> Page | Response:
    """Do it: at once for jobs that were ticked, by a background job for a whole search."""
    due_at = form.due_at
    if form.all:
        if not form.is_typed or form.shown <= MAX_UNTYPED:
            kinds = await _kinds(form, many)
            if kinds.number > MAX_UNTYPED:
                return _question(form, kinds, typed=form.typed)
        search = JobSearch.model_validate(form.model_dump(include={*JobSearch.model_fields}))
        return redirect(path_of(await requests.enqueue(form.change, search, due_at)), "changing")
    changed = await many.change(form.change, form.id, due_at)
    notice, done, left = form.change.value, changed.done, len(form.id) - changed.done
    return redirect(list_path(form), notice, done=done, left=left)


async def _kinds(form: ManyForm, many: BulkChanges) -> Kinds:
    return await many.kinds(form.change, form, () if form.all else form.id)


def _question(form: ManyForm, kinds: Kinds, typed: str | None = None) -> Page:
    """Ask; with what was typed in place of the number, ask again."""
    changed = [each for each in kinds.kinds if each.state in form.change.states]
    moment = form.execute_at if isinstance(form, ConfirmedForm) else None
    context: dict[str, Any] = {
        "form": form,
        "searched": form.as_query(),
        "place": [*form.length(), *form.place()],
        "back": list_path(form),
        "count": kinds.number if form.all else len(form.id),
        "is_bounded": not kinds.is_all,
        "kinds": kinds.kinds[:MAX_KINDS],
        "more_kinds": len(kinds.kinds) - MAX_KINDS,
        "changed": changed,
        "asks_number": form.all and kinds.number > MAX_UNTYPED,
        "typed": typed,
        "execute_at": f"{moment:%Y-%m-%dT%H:%M}" if moment else "",
        "execute_zone": form.execute_zone if isinstance(form, ConfirmedForm) else UTC_NAME,
    }
    title = "Run jobs now" if form.change is Change.RUN_NOW else f"{form.change.verb} jobs"
    return Page("confirm_many.html", context, title, 200 if typed is None else 422)
