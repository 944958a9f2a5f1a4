"""Which jobs, by what indexes know of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnCollection, ColumnElement, and_, false, select

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model.data.summaries import words_in
from modhost_background_jobs.storage.tables import JOB_TAGS, JOB_WORDS

Columns: TypeAlias = ColumnCollection[str, Any]
Check: TypeAlias = Callable[[Columns], ColumnElement[bool]]
"""A condition that no index answers, of the columns `CHECKED`."""

MAX_WORDS: Final = 10
"""How many words of a search are searched in summaries."""
CHECKED: Final = (
    "id",
    "state",
    "job_type",
    "queue",
    "error",
    "execute_at",
    "completed_at",
    "on_hold",
)
"""Live jobs have no `completed_at`: it is NULL; finished ones are not `on_hold`."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs: all conditions that are given hold.

    Attributes:
        states: the job is in one of them; none for any.
        job_type: its type.
        queue: its queue.
        tag: one of its tags.

    """

    states: tuple[JobState, ...] = ()
    job_type: str | None = None
    queue: str | None = None
    tag: str | None = None

    def has(self, state: JobState) -> bool:
        """Return whether jobs of a state are among them."""
        return not self.states or state in self.states

    def checks(self, *names: str) -> list[Check]:
        """Return those of its conditions that are given, to be checked of each job."""
        made: dict[str, Check] = {
            "states": lambda job: job.state.in_([state.value for state in self.states]),
            "job_type": lambda job: job.job_type == self.job_type,
            "queue": lambda job: job.queue == self.queue,
        }
        return [made[name] for name in names if getattr(self, name) not in (None, ())]


def is_tagged(tag: str) -> Check:
    """Return the check that a job has a tag."""
    return lambda job: _is_among(JOB_TAGS.c.job_id, JOB_TAGS.c.tag == tag, job)


def has_in_summary(words: str) -> Check:
    """Return the check that a job has all these words in its summary."""
    wanted = searched_words(words)
    if not wanted:
        return lambda _: false()
    return lambda job: and_(
        *(_is_among(JOB_WORDS.c.job_id, JOB_WORDS.c.word == each, job) for each in wanted)
    )


def _is_among(
    ids: ColumnElement[UUID], has_it: ColumnElement[bool], job: Columns
) -> ColumnElement[bool]:
    # With an offset PostgreSQL looks each job up, and does not read all that have something common.
    return select(ids).where(has_it, ids == job.id).offset(0).exists()


def searched_words(text: str) -> list[str]:
    """Return the words of a search, first the one that probably the fewest jobs have."""
    some = words_in(text)[:MAX_WORDS]
    return sorted(some, key=lambda word: (not any(map(str.isdecimal, word)), -len(word)))
