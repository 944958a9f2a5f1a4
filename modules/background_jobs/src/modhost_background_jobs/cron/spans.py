"""Values as people list them: spans of neighbours, equal distances."""

from collections.abc import Sequence
from typing import Final

DASH: Final = "\N{EN DASH}"
MIN_SPAN: Final = 3
"""How many neighbours are a span rather than a list."""


def spans(values: Sequence[int], circle: int | None = None) -> list[tuple[int, int]]:
    """Return the first and the last of each run of neighbours, in order.

    On a circle of so many values from 0 on, its last value and 0 are neighbours.
    """
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and runs[-1][1] == value - 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    if circle and len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == circle - 1:
        first, *others, last = runs
        runs = [*others, (last[0], first[1])]
    return runs


def distance(values: Sequence[int], least: int) -> int | None:
    """Return how far apart at least so many values are, if all of them are equally far apart."""
    if len(values) < least:
        return None
    step = values[1] - values[0]
    return step if tuple(values) == tuple(range(values[0], values[-1] + 1, step)) else None


def numbers(values: Sequence[int]) -> list[str]:
    """Return the values as texts, those of a span as one."""
    texts: list[str] = []
    for first, last in spans(values):
        if last - first + 1 >= MIN_SPAN:
            texts.append(f"{first}{DASH}{last}")
        else:
            texts += [str(value) for value in range(first, last + 1)]
    return texts


def listed(words: Sequence[str], conjunction: str = "and") -> str:
    """Return the words as a list of a sentence."""
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
