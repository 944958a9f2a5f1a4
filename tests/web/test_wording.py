"""Spans of time as the pages say them."""

import pytest

from modhost.web.rendering.wording import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.7, "1 min"),
        (3599.6, "1 h"),
    ],
)
def test_a_span_is_rounded_into_the_next_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words
