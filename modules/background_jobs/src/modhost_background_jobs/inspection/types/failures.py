"""Failures that share their cause: the same error, raised at the same place."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from modhost_background_jobs.queries.search.failures import FailedJob

MIN_WORDS: Final = 8
"""The shortest part of an error that is worth a search."""
MAX_WORDS: Final = 200
_CLASS: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*(?=:|$)")
_ID: Final = re.compile(
    r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d+([.,:]\d+)*")
_GAP: Final = re.compile("<id>|<n>")
_FRAME: Final = re.compile(r'  File "([^"\n]+)", line \d+, in (.+)')


class FailureGroup(BaseModel):
    """Failures of one fingerprint.

    Attributes:
        error: the class of the error; empty where the text has none.
        message: the first line without it, with `<n>` for numbers and `<id>` for ids.
        frame: the file and the function that raised; empty where nothing did.
        count: how many there are among those that were read.
        first_at: when the first of these failed.
        last_at: when the last of them did.
        example: the id of the last one.
        search: words that the errors of the group share; empty without a part that is long enough.

    """

    error: str
    message: str
    frame: str
    count: int
    first_at: datetime
    last_at: datetime
    example: UUID
    search: str


def grouped(failed: Iterable[FailedJob]) -> list[FailureGroup]:
    """Return the groups of failures, the most frequent first."""
    groups: dict[tuple[str, str], FailureGroup] = {}
    for each in failed:
        line = normalised(each.beginning.split("\n", 1)[0])
        key = (line, frame_of(each.end))
        group = groups.get(key)
        if group is None:
            groups[key] = _group(*key, each)
            continue
        group.count += 1
        group.first_at = min(group.first_at, each.completed_at)
        if each.completed_at >= group.last_at:
            group.last_at, group.example = each.completed_at, each.id
    return sorted(groups.values(), key=lambda group: (-group.count, group.message))


def normalised(line: str) -> str:
    """Return the first line of an error with its numbers and ids taken out."""
    return _NUMBER.sub("<n>", _ID.sub("<id>", line)).strip()


def frame_of(error: str) -> str:
    """Return the file, by its last two names, and the function of the last frame of a traceback."""
    start = error.rfind('  File "')
    found = _FRAME.match(error, start) if start >= 0 else None
    if found is None:
        return ""
    names = re.split(r"[/\\]", found[1])
    return f"{'/'.join(names[-2:])}, {found[2]}"


def _group(line: str, frame: str, failed: FailedJob) -> FailureGroup:
    named = _CLASS.match(line)
    error = named[0] if named else ""
    return FailureGroup(
        error=error,
        message=line.removeprefix(error).removeprefix(":").strip(),
        frame=frame,
        count=1,
        first_at=failed.completed_at,
        last_at=failed.completed_at,
        example=failed.id,
        search=_words(line),
    )


def _words(line: str) -> str:
    """Return the longest part that no number or id interrupts."""
    longest = max((part.strip() for part in _GAP.split(line)), key=len)
    return longest[:MAX_WORDS] if len(longest) >= MIN_WORDS else ""
