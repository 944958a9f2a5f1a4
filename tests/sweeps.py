"""Sweeps try one thing with many values: some of them always, the others by `make test-all`."""

from collections.abc import Collection, Iterable
from itertools import product
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


def first_on_both(names: str, rows: Iterable[object]) -> pytest.MarkDecorator:
    """Try all rows on SQLite, and on PostgreSQL the first always and the others exhaustively."""
    each = [row if isinstance(row, tuple) else (row,) for row in rows]
    both = [(url, *row) for url, row in product(("sqlite", "postgresql"), each)]
    always = both[: len(each) + 1]
    rows_of_both = swept(both, always)
    return pytest.mark.parametrize(f"database_url,{names}", rows_of_both, indirect=["database_url"])
