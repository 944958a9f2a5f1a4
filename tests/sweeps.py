"""Sweeps try one thing with many values: some of them always, the others by `make test-all`."""

from collections.abc import Collection, Iterable
from typing import TypeVar

import pytest
from _pytest.mark import ParameterSet

EXHAUSTIVE = pytest.mark.exhaustive
T = TypeVar("T", bound=tuple[object, ...])


def swept(rows: Iterable[T], always: Collection[T]) -> list[T | ParameterSet]:
    """Return rows of parameters, all of which but those that are tried always are exhaustive."""
    return [row if row in always else pytest.param(*row, marks=EXHAUSTIVE) for row in rows]


ONE_DATABASE = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=EXHAUSTIVE)], indirect=True
)
"""For what happens between processes, whichever database they use."""
