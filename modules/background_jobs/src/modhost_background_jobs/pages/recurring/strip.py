"""The latest runs of a schedule as a strip of marks: a drawing of a few hundred characters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.schedules import MARKS
from modhost_background_jobs.queries.schedule_runs import RunMark

_STEP: Final = 6
_LOWEST: Final = 3
_HIGHEST: Final = 13
# Upwards from the floor. States are distinct by their shapes, too: a bar as high as it ran long, a
# cross, a dot, a stroke, a broken bar.
_SHAPES: Final = {
    JobState.FAILED: "m-2 0l4 6m0-6l-4 6",
    JobState.SKIPPED: "v1.5",
    JobState.CANCELLED: "m-2 0l4 6",
    JobState.PENDING: "v3m0 3v3m0 3v1",
    JobState.RUNNING: f"v{_HIGHEST}",
}


@dataclass(frozen=True, slots=True)
class Strip:
    """The strip: paths with the class of their state, empty for the usual one, and its words."""

    paths: Sequence[tuple[str, str]]
    words: str


def strip_of(marks: Sequence[RunMark]) -> Strip | None:
    """Return the strip of runs, the oldest first; None without any."""
    if not marks:
        return None
    longest = max((mark.seconds or 0.0 for mark in marks), default=0.0)
    paths: dict[str, str] = {}
    start = _STEP * (MARKS - len(marks)) + _STEP // 2
    for number, mark in enumerate(marks):
        shape = _SHAPES.get(mark.state) or f"v{_height(mark, longest)}"
        name = "" if mark.state is JobState.COMPLETED else mark.state.value[:2].lower()
        paths[name] = f"{paths.get(name, '')}M{start + _STEP * number} 0{shape}"
    return Strip(list(paths.items()), _words(marks))


def _height(mark: RunMark, longest: float) -> int:
    share = (mark.seconds or 0.0) / longest if longest else 0.0
    return _LOWEST + round((_HIGHEST - _LOWEST) * share)


def _words(marks: Sequence[RunMark]) -> str:
    counts = Counter(mark.state.value.lower() for mark in marks)
    listed = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    last = "missed" if marks[-1].is_missed else marks[-1].state.value.lower()
    return listed if len(counts) == 1 else f"{listed}; the last {last}"
