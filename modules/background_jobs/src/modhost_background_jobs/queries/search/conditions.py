"""The conditions of a search, and the partitions that they are found in."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_
from sqlalchemy.ext.asyncio import AsyncConnection

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import Partition, find_partitions
from modhost_background_jobs.queries.search.words import (
    WITH_ERRORS,
    has_words,
    is_found_by,
    partitions_with_words,
)
from modhost_background_jobs.queries.selection import Check, Columns, Selection, is_tagged


class Order(StrEnum):
    """The time that jobs are sorted by, and that `since` and `until` are of.

    The latest goes first, but of due times the earliest.
    """

    CREATED = "created"
    FINISHED = "finished"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Search(Selection):
    """Which jobs: all conditions that are given hold; the bounds of ids are inclusive.

    Attributes:
        words: a tag, words of the summary, or part of the first line of the error, in any case.
        in_errors: whether errors are searched at all.
        error_states: of which jobs they are; else of all states that are given, or of failures.
        in_tracebacks: whether the words may be anywhere in the error.
        first: the smallest id; ids sort by the time of their creation.
        last: the greatest id.
        order: by which time; sorted by their end are those that have finished, by their due times
            those that wait for nothing else.
        since: created, finished or due at this time or later.
        until: created, finished or due before this time.

    """

    words: str | None = None
    in_errors: bool = True
    error_states: tuple[JobState, ...] = ()
    in_tracebacks: bool = False
    first: UUID | None = None
    last: UUID | None = None
    order: Order = Order.CREATED
    since: datetime | None = None
    until: datetime | None = None

    @property
    def in_order(self) -> "Search | None":
        """The same search among the jobs that have the time of its order; None for no job."""
        if self.order is Order.CREATED:
            return self
        of_order = [
            state
            for state in JobState
            if (state is JobState.PENDING if self.order is Order.DUE else state.is_final)
        ]
        states = tuple(filter(self.has, of_order))
        return replace(self, states=states) if states else None

    @property
    def searched_errors(self) -> tuple[JobState, ...]:
        """The states of jobs whose errors are searched; none if no errors are."""
        wanted = self.error_states or self.states or WITH_ERRORS
        return tuple(filter(self.has, wanted)) if self.in_errors else ()

    def all_checks(self) -> list[Check]:
        """Return its conditions, besides the states and times, to be checked of each job."""
        checks = self.checks("job_type", "queue")
        if self.tag is not None:
            checks.append(is_tagged(self.tag))
        if (words := self.words) is not None:
            in_error = has_words(words, in_tracebacks=self.in_tracebacks)
            by_index, states = is_found_by(words), [each.value for each in self.searched_errors]
            checks.append(
                lambda job: (
                    by_index(job) | (job.state.in_(states) & in_error(job))
                    if states
                    else by_index(job)
                )
            )
        if self.first is not None or self.last is not None:
            checks.append(lambda job: and_(*self._of_ids(job.id)))
        return checks

    def bounds(self, id_: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
        """Return the conditions of an id, the time of its creation among them."""
        if self.order is not Order.CREATED:
            return self._of_ids(id_)
        # The first 48 bits of an id are the milliseconds of its creation.
        since = self.since and _smallest_id(self.since)
        until = self.until and _smallest_id(self.until)
        times = [(since, id_.__ge__), (until, id_.__lt__)]
        return self._of_ids(id_) + [compare(bound) for bound, compare in times if bound is not None]

    def of_time(self, moment: ColumnElement[datetime]) -> list[ColumnElement[bool]]:
        """Return the conditions of the time of its order, where that is not that of creation."""
        times = [(self.since, moment.__ge__), (self.until, moment.__lt__)]
        return [compare(bound) for bound, compare in times if bound is not None]

    def _of_ids(self, id_: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
        bounds = [(self.first, id_.__ge__), (self.last, id_.__le__)]
        return [compare(bound) for bound, compare in bounds if bound is not None]


async def partitions_of_search(connection: AsyncConnection, search: Search) -> list[Partition]:
    """Return the partitions that are read in the order of their ids."""
    if (in_order := search.in_order) is None:
        return []
    search = in_order
    if search.words is not None:
        partitions = partitions_with_words(
            search,
            search.words,
            search.searched_errors,
            in_tracebacks=search.in_tracebacks,
        )
    else:
        partitions = await find_partitions(connection, search)
    partitions = [each.narrowed(*search.bounds(each.id)) for each in partitions]
    if search.order is Order.DUE:
        return [each.checked(lambda job: _is_due(job, search)) for each in partitions]
    if search.order is Order.FINISHED and (search.since or search.until):
        return [each.checked(lambda job: _has_ended(job, search)) for each in partitions]
    return partitions


def _has_ended(job: Columns, search: Search) -> ColumnElement[bool]:
    return and_(*search.of_time(job.completed_at))


def _is_due(job: Columns, search: Search) -> ColumnElement[bool]:
    return and_(not_(job.on_hold), *search.of_time(job.execute_at))


def _smallest_id(moment: datetime) -> UUID:
    milliseconds = int(max(0.0, moment.timestamp()) * 1000)
    return UUID(int=min(milliseconds, 2**48 - 1) << 80)
