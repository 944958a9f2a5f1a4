"""Search for words: of tags and summaries, which have an index, and errors, which have none."""

from typing import Final

from sqlalchemy import ColumnElement, and_, or_

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import Partition, partitions_of, tagged, worded
from modhost_background_jobs.queries.selection import (
    Check,
    Columns,
    Selection,
    has_in_summary,
    is_tagged,
    searched_words,
)
from modhost_background_jobs.storage.dialects import first_line, lowered

BATCH_SIZE: Final = 500
"""The number of errors that are searched for one page."""

# The error of a skipped run is the reason, not a failure.
WITH_ERRORS: Final = (JobState.PENDING, JobState.RUNNING, JobState.FAILED)


def has_words(words: str, *, in_tracebacks: bool) -> Check:
    """Return the check that the first line of an error, or all of it, has words, in any case."""

    def check(job: Columns) -> ColumnElement[bool]:
        text = job.error if in_tracebacks else first_line(job.error)
        found = lowered(text).contains(words.lower(), autoescape=True)
        return and_(job.error.is_not(None), found)

    return check


def is_found_by(words: str) -> Check:
    """Return the check that a job has a tag, or all the words in its summary: by indexes alone."""
    has_tag, in_summary = is_tagged(words), has_in_summary(words)
    return lambda job: or_(has_tag(job), in_summary(job))


def partitions_with_words(
    selection: Selection, words: str, error_states: tuple[JobState, ...], *, in_tracebacks: bool
) -> list[Partition]:
    """Return the partitions of the selected jobs that are found by words.

    Args:
        selection: which jobs.
        words: the whole tag, words of the summary, or part of the error, in any case.
        error_states: the states of jobs whose error they may be in the first line of.
        in_tracebacks: whether they may be beyond the first line of the error.

    """
    with_errors = Selection(error_states)
    by_index = is_found_by(words)
    in_error = has_words(words, in_tracebacks=in_tracebacks)

    if selection.tag is not None:
        checks = selection.checks("states", "job_type", "queue")
        has_error = with_errors.checks("states")

        def is_found(job: Columns) -> ColumnElement[bool]:
            return or_(by_index(job), *(and_(has(job), in_error(job)) for has in has_error))

        return [tagged(selection.tag, *checks).checked(is_found)]
    has_tag = is_tagged(words)
    checks = selection.checks("states", "job_type", "queue")
    partitions = [tagged(words, *checks)]
    if wanted := searched_words(words):
        rest = [has_in_summary(" ".join(wanted[1:]))] if len(wanted) > 1 else []
        partitions.append(worded(wanted[0], *checks, *rest, lambda job: ~has_tag(job)))
    if not error_states:
        return partitions
    # Not each combination of conditions has an index beside that of errors.
    of_errors = [
        each.narrowed(each.table.c.error.is_not(None)).checked(
            *selection.checks("job_type", "queue"), in_error, lambda job: ~by_index(job)
        )
        for each in partitions_of(with_errors)
    ]
    return [*of_errors, *partitions]
