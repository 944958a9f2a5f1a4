"""What people search jobs by, as it stands in a query string."""

import re
from datetime import datetime
from typing import Annotated, Final, Self
from urllib.parse import parse_qs
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from modhost import new_id
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.cron.zones import zone_named
from modhost_background_jobs.queries.search import Order, Search
from modhost_background_jobs.queries.search.local_times import (
    UTC_NAME,
    LocalTime,
    ZoneName,
    end_of,
    start_of,
)
from modhost_background_jobs.queries.search.words import WITH_ERRORS

_ID_DIGITS: Final = 32
_MIN_DIGITS: Final = 6
_HEXADECIMAL: Final = re.compile("[0-9a-f]+")
_OLDEST: Final = UUID(int=1_577_836_800_000 << 80)
"""An id that was made in 2020: before that, nobody made any."""


def _states(value: object) -> object:
    """Read several states, one, or none, as searches were stored that had one at most."""
    if isinstance(value, str):
        return [value] if value else []
    return value or []


class JobSearch(BaseModel):
    """A search of the list of jobs, and in the data of a bulk change.

    Attributes:
        state: the states, any of which a job is in; none for any.
        q: an id or its beginning, or else a tag, words of the summary or of the error's first line.
        indexed: whether tags and summaries alone are searched, and no errors.
        tracebacks: whether the words may be anywhere in the error.
        by: the time that the jobs are sorted by, and that `since` and `until` are of.
        since: the first day, or the time from which on.
        until: the last day, or the time before which.
        zone: whose days, and by whose clock.

    """

    state: Annotated[tuple[JobState, ...], BeforeValidator(_states)] = ()
    job_type: Annotated[str | None, Field(max_length=200)] = None
    queue: Annotated[str | None, Field(max_length=100)] = None
    tag: Annotated[str | None, Field(max_length=100)] = None
    q: Annotated[str | None, Field(max_length=200)] = None
    indexed: bool = False
    tracebacks: bool = False
    by: Order = Order.CREATED
    since: LocalTime | None = None
    until: LocalTime | None = None
    zone: ZoneName = UTC_NAME

    @classmethod
    def of_query(cls, query: str) -> Self:
        """Return the search of a query string. Raises `ValueError`."""
        given = parse_qs(query)
        return cls.model_validate(
            {name: values if name == "state" else values[-1] for name, values in given.items()}
        )

    @property
    def since_at(self) -> datetime | None:
        """The time from which on, in UTC."""
        return start_of(self.since, self.zone) if self.since else None

    @property
    def until_at(self) -> datetime | None:
        """The time before which, in UTC."""
        return end_of(self.until, self.zone) if self.until else None

    @property
    def is_backwards(self) -> bool:
        """Whether it ends before it begins, so that no job can match."""
        since, until = self.since_at, self.until_at
        return since is not None and until is not None and since >= until

    def on_clock(self, moment: datetime | None) -> str:
        """Return a time as an input for times shows it, by the clock of the zone."""
        return f"{moment.astimezone(zone_named(self.zone)):%Y-%m-%dT%H:%M}" if moment else ""

    def as_query(self) -> list[tuple[str, str]]:
        """Return the conditions as names and values of a query string; states have one each."""
        fields = {*JobSearch.model_fields} - {"state"}
        values = JobSearch.model_dump(self, mode="json", include=fields, exclude_defaults=True)
        if not (self.since or self.until):
            values.pop("zone", None)
        others = [
            (name, "true" if value is True else value) for name, value in values.items() if value
        ]
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
            in_errors=not self.indexed,
            error_states=self.state or WITH_ERRORS,
            in_tracebacks=self.tracebacks,
            first=first,
            last=last,
            order=self.by,
            since=self.since_at,
            until=self.until_at,
        )


def _ids_starting_with(text: str) -> tuple[UUID, UUID] | None:
    """Return the smallest and the greatest id that start with the text; None if none can.

    A customer C-10172, an order 00512204 or a checksum is none: ids begin with the time at which
    they were made, and say of which kind they are.
    """
    digits = text.lower().replace("-", "")
    if not _MIN_DIGITS <= len(digits) <= _ID_DIGITS or not _HEXADECIMAL.fullmatch(digits):
        return None
    lowest, greatest = (UUID(digits.ljust(_ID_DIGITS, each)) for each in "0f")
    if "-" in text and not str(lowest).startswith(text.lower()):
        return None
    if len(digits) == _ID_DIGITS:
        return (lowest, greatest) if "-" in text or lowest.version is not None else None
    return (lowest, greatest) if greatest > _OLDEST and lowest < new_id() else None
