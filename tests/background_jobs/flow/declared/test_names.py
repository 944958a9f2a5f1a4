"""How limits are named, and which queues a worker serves."""

from datetime import timedelta

import pytest

from modhost_background_jobs.contracts import Concurrency, Rate
from modhost_background_jobs.contracts.flow import limit_name
from modhost_background_jobs.contracts.flow_checks import is_queue_name
from modhost_background_jobs.model import serves

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("limit", "name"),
    [
        (Concurrency(1), "tests.Job.concurrency"),
        (Rate(1, SECOND), "tests.Job.rate"),
        (Concurrency(1, per="source"), "tests.Job.concurrency.source"),
        (Rate(1, SECOND, per=("a.b", "c")), "tests.Job.rate.a.b+c"),
        (Concurrency(1, per="source", name="crm"), "crm"),
    ],
)
def test_a_limit_has_its_own_name_or_that_of_the_type_and_its_fields(
    limit: Concurrency | Rate, name: str
) -> None:
    assert limit_name("tests.Job", limit) == name


@pytest.mark.parametrize(
    ("patterns", "served"),
    [
        (["*"], {"default", "mail", "bulk"}),
        (["*", "!bulk"], {"default", "mail"}),
        (["!bulk", "*"], {"default", "mail"}),
        (["mail"], {"mail"}),
        (["mail", "bulk"], {"mail", "bulk"}),
        (["mail", "!mail"], set()),
        ([], set()),
    ],
)
def test_a_worker_serves_all_queues_or_those_named_but_none_that_is_left_out(
    patterns: list[str], served: set[str]
) -> None:
    queues = ("default", "mail", "bulk")
    assert {each for each in queues if serves(patterns, each)} == served


@pytest.mark.parametrize("name", ["default", "mail", "a.b/c d", "é", "x" * 100, "no!"])
def test_a_queue_has_a_name_that_people_can_read(name: str) -> None:
    assert is_queue_name(name)


@pytest.mark.parametrize(
    "name", ["", " ", " mail", "a,b", "*", "a*", "!mail", "a\nb", "a\x00", "\ud800", "x" * 101, 7]
)
def test_no_queue_has_a_name_that_an_option_would_read_otherwise(name: object) -> None:
    assert not is_queue_name(name)
