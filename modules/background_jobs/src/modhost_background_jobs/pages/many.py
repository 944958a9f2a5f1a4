"""Changes of many jobs, with a question that weighs what they do."""

from typing import Any, Final
from uuid import UUID

from pydantic import Field
from starlette.responses import Response

from modhost.web import Form, Page, Query
from modhost_background_jobs.bulk.changes import BulkChanges, BulkRequests, Change
from modhost_background_jobs.pages.job import path_of
from modhost_background_jobs.pages.job_list import ListPlace, list_path
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.queries.search import Kinds
from modhost_background_jobs.queries.search.job_search import JobSearch

MAX_UNTYPED: Final = 1_000
"""How many jobs are changed without typing their number."""
MAX_KINDS: Final = 20
"""How many states and types are shown with their numbers."""


class ManyForm(ListPlace):
    """What to do, and to which jobs: those that were ticked, or all of the search."""

    change: Change
    id: list[UUID] = Field(default_factory=list, max_length=200)
    all: bool = False


class ConfirmedForm(ManyForm):
    """The same, the number that was shown, and what was typed for it."""

    shown: int = 0
    typed: str = Field(default="", max_length=40)

    @property
    def is_typed(self) -> bool:
        """Whether the number that was shown was typed, with or without separators."""
        digits = "".join(each for each in self.typed if each.isdecimal())
        return bool(digits) and digits == str(self.shown)


async def confirm(query: Query[ManyForm], many: BulkChanges) -> Page | Response:
    """Say how many jobs of which states and types it is, and ask."""
    if not query.all and not query.id:
        return redirect(list_path(query), "none-selected")
    return _question(query, await _kinds(query, many))


async def apply(
    form: Form[ConfirmedForm], many: BulkChanges, requests: BulkRequests
) -> Page | Response:
    """Do it: at once for jobs that were ticked, by a background job for a whole search."""
    if form.all:
        if not form.is_typed or form.shown <= MAX_UNTYPED:
            kinds = await _kinds(form, many)
            if kinds.number > MAX_UNTYPED:
                return _question(form, kinds, typed=form.typed)
        search = JobSearch.model_validate(form.model_dump(include={*JobSearch.model_fields}))
        return redirect(path_of(await requests.enqueue(form.change, search)), "changing")
    changed = await many.change(form.change, form.id)
    notice, done, left = form.change.value, changed.done, len(form.id) - changed.done
    return redirect(list_path(form), notice, done=done, left=left)


async def _kinds(form: ManyForm, many: BulkChanges) -> Kinds:
    return await many.kinds(form.change, form, () if form.all else form.id)


def _question(form: ManyForm, kinds: Kinds, typed: str | None = None) -> Page:
    """Ask; with what was typed in place of the number, ask again."""
    changed = [each for each in kinds.kinds if each.state in form.change.states]
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
    }
    title = "Cancel jobs" if form.change is Change.CANCEL else "Retry jobs"
    return Page("confirm_many.html", context, title, 200 if typed is None else 422)
