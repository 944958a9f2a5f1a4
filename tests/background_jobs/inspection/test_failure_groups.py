"""Failures of one cause are one group, however their numbers and ids differ."""

from datetime import timedelta
from uuid import UUID

import pytest

from modhost_background_jobs.inspection.types.failures import frame_of, grouped, normalised
from modhost_background_jobs.queries.search.failures import FailedJob
from moving_clock import START

TRACE = """
Traceback (most recent call last):
  File "/srv/app/lib/python3.12/site-packages/acme/billing/charge.py", line 91, in execute
    card.charge(amount)
  File "/srv/app/lib/python3.12/site-packages/acme/billing/cards.py", line {line}, in charge
    raise Declined(number)
"""


def failed(number: int, first: str, trace: str = "") -> FailedJob:
    return FailedJob(UUID(int=number), START + timedelta(minutes=number), f"{first}\n", trace)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Declined: card 4111 of C-10172", "Declined: card <n> of C-<n>"),
        ("NotFound: 01a22853-445e-74be-97e0-724497e55a73", "NotFound: <id>"),
        ("Broken: commit 1f3a9c2e7b at 10.5 s", "Broken: commit <id> at <n> s"),
        ("Refused: 10.0.0.7:5432 gave 1,024 bytes", "Refused: <n> gave <n> bytes"),
        ("ValueError: facade", "ValueError: facade"),
        ("ValueError: decadedeface is a word", "ValueError: decadedeface is a word"),
        ("", ""),
    ],
)
def test_numbers_and_ids_are_taken_out(line: str, expected: str) -> None:
    assert normalised(line) == expected


def test_the_frame_that_raised_is_the_last_one_without_its_line() -> None:
    assert frame_of(TRACE.format(line=12)) == "billing/cards.py, charge"
    assert frame_of('  File "C:\\app\\jobs.py", line 3, in <module>\n') == "app/jobs.py, <module>"
    assert frame_of("It took its workers down.") == ""
    assert frame_of('  File "half of a') == ""


def test_groups_have_their_count_and_the_first_and_last_of_them() -> None:
    groups = grouped(
        [
            failed(4, "Declined: card 17", TRACE.format(line=30)),
            failed(9, "Declined: card 18", TRACE.format(line=31)),
            failed(2, "Declined: card 19", TRACE.format(line=30)),
            failed(5, "Declined: card 20"),
            failed(6, "it took its workers down 3 times"),
        ]
    )
    first, *others = groups
    assert (first.error, first.message, first.frame) == (
        "Declined",
        "card <n>",
        "billing/cards.py, charge",
    )
    assert (first.count, first.example) == (3, UUID(int=9))
    assert first.first_at == START + timedelta(minutes=2)
    assert first.last_at == START + timedelta(minutes=9)
    assert {(each.error, each.message, each.count) for each in others} == {
        ("Declined", "card <n>", 1),
        ("", "it took its workers down <n> times", 1),
    }
    assert first.search == "Declined: card"


def test_the_longest_part_between_numbers_is_searched_for() -> None:
    (long,) = grouped([failed(1, f"17: 18 {'x' * 250} 19")])
    assert long.search == "x" * 200
    (short,) = grouped([failed(1, "E: 1 a 2")])
    assert short.search == ""
