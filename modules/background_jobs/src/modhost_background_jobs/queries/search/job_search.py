"""What people search jobs by, as it stands in a query string."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from urllib.parse import parse_qs
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.search import Search

_ID_DIGITS: Final = 32
_MIN_DIGITS: Final = 6


def _states(value: object) -> object:
    """Read several states, one, or none, as searches were stored that had one at most."""
    if isinstance(value, str):
        return [value] if value else []
    return value or []


class JobSearch(BaseModel):
    """A search of the list of jobs, and in the data of a bulk change.

    Attributes:
        state: the states, any of which a job is in; none for any.
        q: an id or its beginning, or else a tag, or words of the error.
        since: the first day (UTC) on which the jobs were created.
        until: the last of these days.

    """

    state: Annotated[tuple[JobState, ...], BeforeValidator(_states)] = ()
    job_type: Annotated[str | None, Field(max_length=200)] = None
    queue: Annotated[str | None, Field(max_length=100)] = None
    tag: Annotated[str | None, Field(max_length=100)] = None
    q: Annotated[str | None, Field(max_length=200)] = None
    since: date | None = None
    until: date | None = None

    def as_query(self) -> list[tuple[str, str]]:
        """Return the conditions as names and values of a query string; states have one each."""
        fields = {*JobSearch.model_fields} - {"state"}
        values = JobSearch.model_dump(self, mode="json", include=fields)
        others = [(name, value) for name, value in values.items() if value]
        return [*(("state", state.value) for state in self.state), *others]

    def as_search(self, last: UUID | None = None) -> Search:
        """Return the conditions; `last` leaves out the jobs that are newer than one."""
        words = (self.q or "").strip() or None
        first = None
        if words is not None and (ids := _ids_starting_with(words)):
            words, (first, greatest) = None, ids
            last = greatest if last is None else min(last, greatest)
        return Search(
            states=tuple(sorted(set(self.state))),
            job_type=self.job_type,
            queue=self.queue,
            tag=self.tag,
            words=words,
            first=first,
            last=last,
            since=_start_of(self.since) if self.since else None,
            until=_end_of(self.until) if self.until else None,
        )


def search_of(query: str) -> JobSearch:
    """Return the search of a query string. Raises `ValueError`."""
    given = parse_qs(query)
    return JobSearch.model_validate(
        {name: values if name == "state" else values[-1] for name, values in given.items()}
    )


def _ids_starting_with(text: str) -> tuple[UUID, UUID] | None:
    """Return the smallest and the greatest id that start with the text; None if none can."""
    digits = text.lower().replace("-", "")
    is_id = _MIN_DIGITS <= len(digits) <= _ID_DIGITS and set(digits) <= set("0123456789abcdef")
    if not is_id:
        return None
    return UUID(digits.ljust(_ID_DIGITS, "0")), UUID(digits.ljust(_ID_DIGITS, "f"))


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end_of(day: date) -> datetime | None:
    """Return when a day ends; None for the last possible one."""
    return None if day == date.max else _start_of(day + timedelta(days=1))
