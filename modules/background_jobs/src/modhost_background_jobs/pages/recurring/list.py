"""All schedules, a line each."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs, urlencode
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.inspection.schedules import (
    ScheduleLine,
    ScheduleOrder,
    Schedules,
    ScheduleState,
)
from modhost_background_jobs.pages.notices import NoticeQuery
from modhost_background_jobs.pages.recurring.strip import strip_of
from modhost_background_jobs.permissions import MANAGE_JOBS

PATH: Final = "/admin/jobs/recurring"
LINES: Final = 100
MAX_LINES: Final = 500
KEY_DIGITS: Final = 6
MAX_KEY_DIGITS: Final = 36
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_STATES: Final = {
    ScheduleState.ENABLED: "Enabled",
    ScheduleState.DISABLED: "Disabled",
    ScheduleState.FAILING: "Failing",
    ScheduleState.MISSED: "Missed",
}


def _state(value: object) -> object:
    """Read a state; `paused` is what other queues call it."""
    return "disabled" if value == "paused" else value or None


def _order(value: object) -> object:
    return value or ScheduleOrder.NAME


class SchedulesQuery(BaseModel):
    """Which schedules, in which order, and which page of them."""

    q: Annotated[str, Field(max_length=200)] = ""
    state: Annotated[ScheduleState | None, BeforeValidator(_state)] = None
    sort: Annotated[ScheduleOrder, BeforeValidator(_order)] = ScheduleOrder.NAME
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    rows: Annotated[int, Field(ge=1, le=MAX_LINES)] = LINES

    @property
    def watched(self) -> str:
        """The query string by which the list is watched, and which leads back to it."""
        values = self.model_dump(mode="json", include={*SchedulesQuery.model_fields})
        default = _DEFAULT.model_dump(mode="json")
        return urlencode({name: each for name, each in values.items() if each != default[name]})

    def link(self, **changes: object) -> str:
        """Return the address of the list with some of it changed; it begins with its first page."""
        values = self.model_dump(include={"q", "state", "sort", "rows"}) | changes
        return path_of_list(SchedulesQuery.model_validate(values).watched)

    def chosen(self, lines: Sequence[ScheduleLine]) -> list[ScheduleLine]:
        """Return the lines that are asked for, in their order, of all pages."""
        state = self.state
        found = [
            line for line in lines if (state is None or line.is_in(state)) and line.has(self.q)
        ]
        if self.sort is ScheduleOrder.NEXT:
            found.sort(key=lambda line: line.next_at or _NEVER)
        elif self.sort is ScheduleOrder.LAST:
            found.sort(key=lambda line: line.row.last_run_at or _FIRST, reverse=True)
        return found


_DEFAULT: Final = SchedulesQuery()
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ListQuery(SchedulesQuery, NoticeQuery):
    """The list, with what was done there."""


def watched_schedules(query: str) -> SchedulesQuery:
    """Return what a query string says of the list that is watched. Raises `ValueError`."""
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    return SchedulesQuery.model_validate(given)


def path_of_list(query: str = "") -> str:
    """Return the address of the list."""
    return f"{PATH}?{query}" if query else PATH


async def show_schedules(
    query: Query[ListQuery], schedules: Schedules, visitor: Principal, request: Request
) -> Page | Response:
    """Show all schedules, under one address, since its links are relative to it."""
    if request.url.path.endswith("/"):
        return RedirectResponse(path_of_list(request.url.query), 308)
    lines = await schedules.all()
    name = next((each.row.name for each in lines if each.row.id == query.schedule), "")
    context = schedules_context(lines, query, may_manage=visitor.may(MANAGE_JOBS))
    return Page("recurring/list.html", context | query.as_context(name), "Recurring jobs")


def schedules_context(
    lines: Sequence[ScheduleLine], query: SchedulesQuery, *, may_manage: bool
) -> dict[str, Any]:
    """Return the variables of the template, as far as they are live."""
    chosen = query.chosen(lines)
    start = query.rows * (query.page - 1)
    shown = chosen[start : start + query.rows]
    keys = keys_of([line.row.id for line in lines])
    return {
        "lines": [(line, keys[line.row.id], strip_of(line.marks)) for line in shown],
        "total": len(lines),
        "found": len(chosen),
        "first": start + 1,
        "earlier": query.link(page=query.page - 1) if start else None,
        "later": query.link(page=query.page + 1) if start + query.rows < len(chosen) else None,
        "query": query,
        "states": _STATES,
        "all": query.link(rows=MAX_LINES) if len(shown) < len(chosen) <= MAX_LINES else None,
        "may_manage": may_manage,
    }


def keys_of(schedules: Collection[UUID]) -> dict[UUID, str]:
    """Return the last digits of each id, enough to be its alone: a line has several of them."""
    for digits in range(KEY_DIGITS, MAX_KEY_DIGITS):
        keys = {each: str(each)[-digits:] for each in schedules}
        if len({*keys.values()}) == len(keys):
            return keys
    return {each: str(each) for each in schedules}
