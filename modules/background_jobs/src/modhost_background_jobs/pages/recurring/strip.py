"""The latest runs of a schedule as a strip of marks: a drawing of a few hundred characters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.schedules import MARKS
from modhost_background_jobs.queries.schedule_runs import RunMark

_STEP: Final = 6
_BAR: Final = 4
# Of one digit; the style sheet stretches them.
_LOWEST: Final = 2
_HIGHEST: Final = 9
# Upwards from the floor, and no wider than a bar, which is what the style sheet leaves of a step.
# States are distinct by their shapes, too: a cross, a dot, a stroke, a broken bar, a whole one.
_SHAPES: Final = {
    JobState.FAILED: "m-2 0l4 4m0-4l-4 4",
    JobState.SKIPPED: "v1",
    JobState.CANCELLED: "m-2 0l4 4",
    JobState.PENDING: "v2m0 2v2m0 2v1",
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
    start = _STEP * (MARKS - len(marks))
    heights = [0 if mark.state in _SHAPES else _height(mark, longest) for mark in marks]
    # One area of bars, as high as each ran long, which is shorter than to draw each.
    bars = "".join(f"V{height}h{_STEP * len([*same])}" for height, same in groupby(heights))
    paths = {"": f"M{start} 0{bars}V0"} if any(heights) else {}
    for number, mark in enumerate(marks):
        if mark.state in _SHAPES:
            name, middle = mark.state.value[:2].lower(), start + _STEP * number + _BAR // 2
            paths[name] = f"{paths.get(name, '')}M{middle} 0{_SHAPES[mark.state]}"
    return Strip([*paths.items()], _words(marks))


def _height(mark: RunMark, longest: float) -> int:
    share = (mark.seconds or 0.0) / longest if longest else 0.0
    return _LOWEST + round((_HIGHEST - _LOWEST) * share)


def _words(marks: Sequence[RunMark]) -> str:
    counts = Counter(mark.state.value.lower() for mark in marks)
    listed = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    last = "missed" if marks[-1].is_missed else marks[-1].state.value.lower()
    return listed if len(counts) == 1 else f"{listed}; the last {last}"
