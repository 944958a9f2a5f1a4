"""Search for words: a word may be a tag, which has an index, and errors, which have none."""

from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.queries.partitions import Partition, partitions_of, tagged
from modhost_background_jobs.queries.selection import Check, Columns, Selection, is_tagged
from modhost_background_jobs.storage.dialects import first_line

BATCH_SIZE: Final = 500
"""The number of errors that are searched for one page."""

# The error of a skipped run is the reason, not a failure.
_WITH_ERRORS: Final = (JobState.PENDING, JobState.RUNNING, JobState.FAILED)


def has_words(words: str, *, in_tracebacks: bool) -> Check:
    """Return the check that the first line of an error, or all of it, has words, in any case."""

    def check(job: Columns) -> ColumnElement[bool]:
        text = job.error if in_tracebacks else first_line(job.error)
        found = func.lower(text).contains(words.lower(), autoescape=True)
        return and_(job.error.is_not(None), found)

    return check


def partitions_with_words(
    selection: Selection, words: str, *, in_tracebacks: bool
) -> list[Partition]:
    """Return the partitions of the selected jobs that have a tag, or words in their error.

    Args:
        selection: which jobs.
        words: the whole tag, or part of the error, in any case.
        in_tracebacks: whether the words may be beyond the first line of the error.

    """
    with_errors = Selection(selection.states or _WITH_ERRORS)
    (has_state,) = with_errors.checks("states")
    has_tag = is_tagged(words)
    in_error = has_words(words, in_tracebacks=in_tracebacks)

    if selection.tag is not None:
        checks = selection.checks("states", "job_type", "queue")
        return [
            tagged(selection.tag, *checks).checked(
                lambda job: or_(has_tag(job), and_(has_state(job), in_error(job)))
            )
        ]
    # Not each combination of conditions has an index beside that of errors.
    of_errors = [
        each.narrowed(each.table.c.error.is_not(None)).checked(
            *selection.checks("job_type", "queue"), in_error, lambda job: ~has_tag(job)
        )
        for each in partitions_of(with_errors)
    ]
    return [*of_errors, tagged(words, *selection.checks("states", "job_type", "queue"))]
