"""The verdict of a soak, by its samples."""

import pytest

from benchmarks.soak.sampling import Sample
from benchmarks.soak.verdict import as_markdown, judge

FLAT = [Sample(float(at), 100.0, 10.0, 1_000.0, 50.0, 90.0) for at in range(30)]


def test_a_flat_load_passes() -> None:
    verdicts = judge(FLAT)
    assert all(verdict.met for verdict in verdicts)
    assert "**no**" not in as_markdown(FLAT, verdicts)


@pytest.mark.parametrize(
    ("what", "at_the_end"),
    [
        ("jobs a second", Sample(30.0, 80.0, 10.0, 1_000.0, 50.0, 90.0)),
        ("jobs that wait", Sample(30.0, 100.0, 5_000.0, 1_000.0, 50.0, 90.0)),
        ("dead rows", Sample(30.0, 100.0, 10.0, 50_000.0, 50.0, 90.0)),
        ("MB on disk", Sample(30.0, 100.0, 10.0, 1_000.0, 80.0, 90.0)),
        ("MB of the worker", Sample(30.0, 100.0, 10.0, 1_000.0, 50.0, 110.0)),
    ],
)
def test_what_falls_or_grows_in_the_last_third_is_named(what: str, at_the_end: Sample) -> None:
    verdicts = judge([*FLAT[:20], *[at_the_end] * 10])
    assert [verdict.what for verdict in verdicts if not verdict.met] == [what]
