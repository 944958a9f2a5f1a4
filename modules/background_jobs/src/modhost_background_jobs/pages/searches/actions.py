"""Keeping a search of the list, and forgetting it."""

from typing import Annotated, Final
from urllib.parse import urlencode

from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from modhost import Principal
from modhost.web import Form, HttpProblem
from modhost_background_jobs.pages.job_list import PATH, ListPlace
from modhost_background_jobs.pages.notices import redirect
from modhost_background_jobs.pages.searches.saved import SavedSearches

MAX_NAME: Final = 60
MAX_QUERY: Final = 2_000


class SaveForm(BaseModel):
    """The search that the list shows, and what to call it."""

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NAME)] = ""
    query: str = Field(default="", max_length=MAX_QUERY)


async def save(form: Form[SaveForm], searches: SavedSearches, visitor: Principal) -> Response:
    """Keep the search that the list shows."""
    query = _checked(form.query)
    path = f"{PATH}?{query}" if query else PATH
    if not form.name.isprintable() or not form.name:
        return redirect(path, "search-unnamed")
    is_saved = await searches.save(visitor.id, form.name, query)
    return redirect(path, "search-saved" if is_saved else "search-full")


async def forget(form: Form[SaveForm], searches: SavedSearches, visitor: Principal) -> Response:
    """Delete a search of the visitor."""
    await searches.forget(visitor.id, form.name)
    query = _checked(form.query)
    return redirect(f"{PATH}?{query}" if query else PATH, "search-forgotten")


def _checked(query: str) -> str:
    """Return a query string with the conditions of a search alone. Raises `HttpProblem`."""
    try:
        place = ListPlace.of_query(query)
    except ValueError:
        raise HttpProblem(422, "That is not a search of the list.") from None
    return urlencode([*place.as_query(), *place.length()])
