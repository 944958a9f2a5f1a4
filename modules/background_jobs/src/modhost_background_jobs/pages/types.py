"""Job types: all of them with what waits, runs and fails, and a page for each."""

from typing import Annotated, Any, Final
from urllib.parse import parse_qs, quote, urlencode

from pydantic import BaseModel, BeforeValidator, Field

from modhost import Principal
from modhost.web import Page, Query
from modhost_background_jobs.inspection.types.figures import ComparedSpan, TypeSpan
from modhost_background_jobs.inspection.types.view import (
    InspectedType,
    Sorting,
    TypeInspection,
    TypeLine,
)
from modhost_background_jobs.pages import charts
from modhost_background_jobs.pages.notices import NoticeQuery
from modhost_background_jobs.permissions import MANAGE_JOBS

PATH: Final = "/admin/jobs/types"
SPANS: Final[dict[TypeSpan, str]] = {
    "hour": "1 h",
    "day": "24 h",
    "week": "7 days",
    "quarter": "90 days",
}
BARS: Final[dict[TypeSpan, str]] = {
    "hour": "minute",
    "day": "hour",
    "week": "3 hours",
    "quarter": "day",
}
MAX_NAME: Final = 500


def _or_default(value: object) -> object:
    return value or "behind"


class TypesQuery(BaseModel):
    """Which types, of which span, in which order."""

    q: Annotated[str, Field(max_length=200)] = ""
    span: ComparedSpan = "hour"
    sort: Annotated[Sorting, BeforeValidator(_or_default)] = "behind"

    @property
    def watched(self) -> str:
        """The query string by which the list is watched."""
        return urlencode(self.model_dump())

    def link(self, **changes: str) -> str:
        """Return the address of the list with some of it changed."""
        values = self.model_dump() | changes
        default = TypesQuery().model_dump()
        query = urlencode({name: each for name, each in values.items() if each != default[name]})
        return f"{PATH}?{query}" if query else PATH


class TypeQuery(BaseModel):
    """How far back the charts of a type go."""

    span: TypeSpan = "day"


class ShownType(TypeQuery, NoticeQuery):
    """The page of a type, with what was done there."""


class WatchedType(TypeQuery):
    """A type whose page is watched."""

    job_type: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]


def watched_of(query: str) -> WatchedType | TypesQuery:
    """Return what a query string says of what is watched. Raises `ValueError`."""
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    if "job_type" in given:
        return WatchedType.model_validate(given)
    return TypesQuery.model_validate(given)


def types_context(lines: list[TypeLine], query: TypesQuery) -> dict[str, Any]:
    """Return the variables of the list, as far as they are live."""
    return {"lines": lines, "query": query, "span_name": SPANS[query.span]}


def type_context(found: InspectedType, span: TypeSpan, *, may_manage: bool) -> dict[str, Any]:
    """Return the variables of the page of a type, as far as they are live."""
    history = found.history.buckets
    return {
        "found": found,
        "view": found.view,
        "name": found.view.status.name,
        "span": span,
        "spans": SPANS,
        "bar": BARS[span],
        "history": history,
        "deployments": charts.deployments(history, found.deployed),
        "throughput": charts.throughput(history),
        "waits": charts.waits(history),
        "runs": charts.runs(history),
        "may_manage": may_manage,
    }


def path_of_type(job_type: str) -> str:
    """Return the address of the page of a type."""
    return f"{PATH}/{quote(job_type)}"


async def show_types(query: Query[TypesQuery], types: TypeInspection) -> Page:
    """Show the job types."""
    lines = await types.all(query.span, query.sort, query.q)
    return Page("types/list.html", types_context(lines, query), "Job types")


async def show_type(
    job_type: str, query: Query[ShownType], types: TypeInspection, visitor: Principal
) -> Page:
    """Show a job type."""
    found = await types.one(job_type, query.span)
    context = type_context(found, query.span, may_manage=visitor.may(MANAGE_JOBS))
    return Page("types/type.html", context | query.as_context(), job_type)
