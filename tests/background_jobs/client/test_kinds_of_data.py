"""Fields that may hold several kinds: a value of one is never read as one of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from pydantic import BaseModel, create_model
from typing_extensions import TypedDict

from background_jobs.client.data_models import Cart, Item
from background_jobs.client.test_data import ReadingJob
from background_jobs.hosts import jobs_host
from modhost_background_jobs.contracts import InvalidJobData, JobFilter
from modhost_background_jobs.model.data.job_data import for_job, to_stored
from modhost_background_jobs.model.data.read_back import read_as

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ONE = UUID(int=1)


class Word(Enum):
    RED = "red"


class Text(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


@dataclass
class Moment:
    at: str | datetime


class Named(NamedTuple):
    at: str | datetime


class Table(TypedDict):
    at: str | datetime


def of(annotation: Any, value: Any) -> BaseModel:
    """Return a model with a field that has this annotation and this value."""
    return create_model("Data", field=(annotation, ...))(field=value)


KEPT = [
    (str | datetime, "2026-01-01T12:00:00Z"),
    (datetime | str, NOW),
    (datetime | None, NOW),
    (date | datetime, date(2026, 1, 1)),
    (date | datetime, datetime(2026, 1, 1)),  # noqa: DTZ001 - as a job may have it
    (str | UUID, ONE),
    (timedelta | str, timedelta(seconds=1)),
    (Decimal | float, Decimal("1.5")),
    (Decimal | float, 1.5),
    (int | float, 1.0),
    (int | float, 1),
    (bool | int, True),
    (int | str, "1"),
    (Word | str, "red"),
    (list[int] | tuple[int, ...], [1]),
    # Its name in a list of tests is to be the same in every process.
    pytest.param(set[str | int], {1, "1"}, id="set of both"),
    (dict[date, int], {date(2026, 1, 1): 1}),
    (Item | dict[str, Any], Item(name="x")),
]

CHANGED = [
    (str | datetime, NOW, "field would be read as str instead of datetime"),
    (str | date, date(2026, 1, 1), "field would be read as str instead of date"),
    (str | Decimal, Decimal("1.5"), "field would be read as str instead of Decimal"),
    (str | UUID, str(ONE), "field would be read as UUID instead of str"),
    (str | bytes, b"x", "field would be read as str instead of bytes"),
    (bytes | str, "x", "field would be read as bytes instead of str"),
    (Word | str, Word.RED, "field would be read as str instead of Word"),
    (Text | str, Text.RED, "field would be read as str instead of Text"),
    (Number | int, Number.ONE, "field would be read as int instead of Number"),
    (list[str | datetime], [NOW], "field.0 would be read as str instead of datetime"),
    (Sequence[str | datetime], (NOW,), "field.0 would be read as str instead of datetime"),
    (dict[int, str | date], {1: NOW.date()}, "field.1 would be read as str instead of date"),
    (dict[str | int, int], {1: 1}, "field.1 would be read as str instead of int"),
    (tuple[Any, str | datetime], (NOW, NOW), "field.1 would be read as str instead of"),
    (set[str | datetime], {NOW}, "field.0 would be read as str instead of datetime"),
    (set[Text | str], {Text.RED}, "field.0 would be read as str instead of Text"),
    (list[int] | tuple[int, ...], (1,), "field would be read as list instead of tuple"),
    (set[int] | frozenset[int], frozenset({1}), "field would be read as set instead of"),
    (list[Moment], [Moment(NOW)], "field.0.at would be read as str instead of datetime"),
    (Named, Named(NOW), "field.0 would be read as str instead of datetime"),
    (Table, Table(at=NOW), "field.at would be read as str instead of datetime"),
    (dict[str, Any] | Item, Item(), "field would be read as dict instead of Item"),
]


@pytest.mark.parametrize(("annotation", "value"), KEPT, ids=str)
def test_what_is_read_as_it_was_given_is_kept(annotation: Any, value: Any) -> None:
    data = of(annotation, value)
    stored = to_stored(data)
    assert stored is not None
    back = read_as(type(data), for_job(stored))
    assert back == data
    assert type(back.field) is type(value)


@pytest.mark.parametrize(("annotation", "value", "words"), CHANGED, ids=str)
def test_what_would_be_read_as_another_kind_is_refused(
    annotation: Any, value: Any, words: str
) -> None:
    """Jobs got texts instead of dates, without a word."""
    with pytest.raises(InvalidJobData) as refused:
        to_stored(of(annotation, value))
    assert words in str(refused.value)


def test_where_nothing_is_declared_the_kinds_of_json_do() -> None:
    for data in (Cart(anything=NOW), of(list[Any], [NOW]), of(dict[Any, Any], {NOW: NOW})):
        assert to_stored(data) is not None


async def test_nothing_is_enqueued_of_what_is_refused(database_url: str) -> None:
    async with jobs_host(database_url, more_jobs=(ReadingJob,)) as jobs:
        for annotation, value, words in CHANGED:
            with pytest.raises(InvalidJobData, match=words):
                await jobs.scheduling.enqueue(ReadingJob, of(annotation, value))
        assert (await jobs.querying.get_jobs(JobFilter())).total_count == 0
