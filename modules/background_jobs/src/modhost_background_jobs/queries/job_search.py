"""What people search jobs by."""

from collections.abc import Collection
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model import JobTypes
from modhost_background_jobs.queries.listing import Row
from modhost_background_jobs.queries.load import QueueLoad
from modhost_background_jobs.queries.search import JobBrowser, Search, Stretch

_ID_DIGITS: Final = 32
_MIN_DIGITS: Final = 6


class JobSearch(BaseModel):
    """A search as it stands in a query string, and in the data of an operation on many jobs.

    Attributes:
        q: an id or its beginning, or else words of the error.
        since: the first day (UTC) on which the jobs were created.
        until: the last of these days.

    """

    state: Annotated[JobState | None, BeforeValidator(lambda value: value or None)] = None
    job_type: Annotated[str | None, Field(max_length=200)] = None
    q: Annotated[str | None, Field(max_length=200)] = None
    since: date | None = None
    until: date | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether every job matches."""
        return not self.as_query()

    def as_query(self) -> dict[str, str]:
        """Return what is searched by, as names and values of a query string."""
        values = JobSearch.model_dump(self, mode="json", include=set(JobSearch.model_fields))
        return {name: value for name, value in values.items() if value}

    def as_search(self, last: UUID | None = None) -> Search:
        """Return the conditions; `last` leaves out the jobs that are newer than one."""
        words = (self.q or "").strip() or None
        first = None
        if words is not None and (ids := _ids_starting_with(words)):
            words, (first, greatest) = None, ids
            last = greatest if last is None else min(last, greatest)
        return Search(
            state=self.state,
            job_type=self.job_type,
            words=words,
            first=first,
            last=last,
            since=_start_of(self.since) if self.since else None,
            until=_end_of(self.until) if self.until else None,
        )


def _ids_starting_with(text: str) -> tuple[UUID, UUID] | None:
    """Return the least and the greatest id that start with the text; None if it is no id."""
    digits = text.lower().replace("-", "")
    is_id = _MIN_DIGITS <= len(digits) <= _ID_DIGITS and set(digits) <= set("0123456789abcdef")
    if not is_id:
        return None
    return UUID(digits.ljust(_ID_DIGITS, "0")), UUID(digits.ljust(_ID_DIGITS, "f"))


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end_of(day: date) -> datetime | None:
    """Return when a day is over; None for the last one that there is."""
    return None if day == date.max else _start_of(day + timedelta(days=1))


class Browsing:
    """Reads the jobs of a search, the newest first."""

    def __init__(self, browser: JobBrowser, load: QueueLoad, types: JobTypes) -> None:
        self._browser = browser
        self._load = load
        self._types = types

    async def page(
        self,
        search: JobSearch,
        *,
        limit: int,
        before: UUID | None = None,
        after: UUID | None = None,
    ) -> Stretch:
        """Return the newest jobs, or those next to one: older ones, or newer ones."""
        if after is not None:
            return await self._browser.newer(search.as_search(), after, limit)
        return await self._browser.older(search.as_search(), before, limit)

    async def by_ids(self, ids: Collection[UUID]) -> list[Row]:
        """Return the jobs with these ids, in no order."""
        return await self._browser.by_ids(ids)

    async def latest_failures(self, limit: int) -> list[Row]:
        """Return the jobs that failed last, the last one first."""
        return await self._browser.latest_failures(limit)

    async def types(self) -> list[str]:
        """Return the types of all jobs that there are or may be, by name."""
        waiting = [each.job_type for each in await self._load.waiting_types()]
        return sorted({*self._types.names, *waiting, *await self._browser.finished_types()})
