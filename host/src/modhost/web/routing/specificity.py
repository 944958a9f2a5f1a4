"""The order of routes: the most literal path that matches a request answers it."""

import re
from typing import Final

_PARAMETER: Final = re.compile(r"{[^}]*}")
_END: Final = (4, 0)


def specificity(path: str) -> list[tuple[int, int]]:
    """Return a sort key: literal segments go before mixed ones, and those before `{id}`.

    A longer path goes before its beginning: `{name:path}` would take the rest, too.
    """
    return [*(_segment_rank(segment) for segment in path.split("/")), _END]


def _segment_rank(segment: str) -> tuple[int, int]:
    literal = _PARAMETER.sub("", segment)
    if literal == segment:
        return (0, 0)
    if ":path}" in segment:
        return (3, -len(literal))
    return (1 if literal else 2, -len(literal))
