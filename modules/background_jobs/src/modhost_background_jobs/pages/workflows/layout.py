"""Where the boxes and lines of a graph are drawn: levels from left to right."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.inspection.workflows.graph import Box, Graph

WIDTH: Final = 204
HEIGHT: Final = 62
_GAP_X: Final = 48
_GAP_Y: Final = 16
_MARGIN: Final = 4
_BAR: Final = WIDTH - 24
_NAME: Final = 22
"""How many characters of a name have room in a box."""
_SUMMARY: Final = 26
"""The same of the summary of a job, which is smaller."""
_WHEN: Final = {"succeeded": "", "failed": "when one fails", "finished": "when all have finished"}


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box with its place; the bars, `completed` and `failed`, have these widths."""

    box: Box
    x: int
    y: int
    name: str
    summary: str
    completed: float
    failed: float

    @property
    def when(self) -> str:
        """On which condition it runs, where that is not the usual one."""
        return _WHEN[self.box.when]

    @property
    def words(self) -> str:
        """How what it stands for is, in words."""
        return self._words(" completed")

    @property
    def short_words(self) -> str:
        """The same as far as there is room."""
        return self._words("" if self.box.count(JobState.FAILED) else " completed")

    def _words(self, completed: str) -> str:
        box = self.box
        if box.total == 1:
            return box.counts[0][0].value
        done = f"{box.count(JobState.COMPLETED):,} of {box.total:,}{completed}"
        failed = box.count(JobState.FAILED)
        return f"{done}, {failed:,} failed" if failed else done


@dataclass(frozen=True, slots=True)
class Line:
    """A line from a box to one that waits for it, as the path of an SVG."""

    path: str
    when: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that is drawn, and the size of the picture."""

    boxes: Sequence[PlacedBox]
    lines: Sequence[Line]
    width: int
    height: int


def draw(graph: Graph) -> Drawing:
    """Place the boxes of each level beneath each other, near those that they wait for."""
    levels: dict[int, list[int]] = defaultdict(list)
    for number, box in enumerate(graph.boxes):
        levels[box.level].append(number)
    most = max((len(each) for each in levels.values()), default=0)
    tops: dict[int, float] = {}
    for column, level in enumerate(sorted(levels)):
        numbers = levels[level]
        if column:
            numbers.sort(key=lambda number: _mean(graph.boxes[number].before, tops))
        first = (most - len(numbers)) / 2
        tops |= {number: first + place for place, number in enumerate(numbers)}
    columns = {level: column for column, level in enumerate(sorted(levels))}
    placed = [
        _placed(box, columns[box.level], tops[number]) for number, box in enumerate(graph.boxes)
    ]
    lines = [
        Line(_path(placed[before], after), after.box.when)
        for after in placed
        for before in after.box.before
    ]
    width = len(levels) * (WIDTH + _GAP_X) - _GAP_X + 2 * _MARGIN
    height = most * (HEIGHT + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    return Drawing(placed, lines, max(width, 0), max(height, 0))


def _mean(before: Sequence[int], tops: dict[int, float]) -> float:
    known = [tops[each] for each in before if each in tops]
    return sum(known) / len(known) if known else 0.0


def _placed(box: Box, column: int, top: float) -> PlacedBox:
    name = box.job_type.rpartition(".")[2]
    return PlacedBox(
        box=box,
        x=_MARGIN + column * (WIDTH + _GAP_X),
        y=_MARGIN + round(top * (HEIGHT + _GAP_Y)),
        name=_cut(name, _NAME),
        summary=_cut(box.summary, _SUMMARY),
        completed=round(_BAR * box.count(JobState.COMPLETED) / box.total, 1),
        failed=round(_BAR * box.count(JobState.FAILED) / box.total, 1),
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _path(before: PlacedBox, after: PlacedBox) -> str:
    start, end = before.x + WIDTH - 4, after.x
    from_y, to_y = before.y + HEIGHT // 2, after.y + HEIGHT // 2
    bend = max(_GAP_X // 2, (end - start) // 3)
    return f"M{start} {from_y}C{start + bend} {from_y} {end - bend} {to_y} {end - 5} {to_y}"
