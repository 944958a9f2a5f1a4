"""A job gets its data as they were given, or `enqueue` refuses them."""

from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest
from pydantic import (
    BaseModel,
    Field,
    SecretBytes,
    SecretStr,
)

from background_jobs.client.data_models import (
    Aliased,
    Book,
    Cart,
    Cat,
    Dog,
    Extra,
    Hashing,
    Item,
    Many,
    Number,
    Odd,
    Point,
    Spelt,
    Strict,
    WithJson,
)
from background_jobs.hosts import jobs_host
from modhost_background_jobs.client.run_again import read_edited
from modhost_background_jobs.contracts import (
    InvalidJobData,
    JobExecutionContext,
    ModuleJob,
)
from modhost_background_jobs.model.data.job_data import for_job, for_people, to_stored
from modhost_background_jobs.model.data.read_back import read_as

pytestmark = pytest.mark.anyio

NAN = float("nan")

ONE = UUID(int=1)


def misspelt() -> Item:
    """An item whose name was never checked."""
    item = Item()
    item.__dict__["name"] = 5
    return item


def nested(depth: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for _ in range(depth):
        data = {"a": data}
    return data


KEPT = [
    Aliased(theBoth=1, written=2, read=3, choice=4, secret=SecretStr("hunter2")),  # type: ignore[call-arg]
    WithJson(numbers="[1, 2]", note="x"),
    Strict(price=2, amount=3),
    Cart(texts={"a", "b", "c"}, pet=Cat(), anything=[1, {"a": None}]),
    Extra(a=1, **{"$secret": 5}),
    Spelt(value=float("inf")),
    Odd(**{"$secret": {"$secret": 1}}),
    Many({1: [ONE], 2: []}),
    Point(1, datetime(2026, 1, 1, tzinfo=UTC), more=[1]),
    Number(value=0.1),
]

ORDINARY = [
    {"$secret": 5},
    {"$secret": "hunter2"},
    {"a": [{"$secret": None}, {"$$secret": {"$secret": 1}}]},
    {"$secret": 1, "more": 2},
    nested(150),
    {"number": 10**400},
    [{"$$$secret": "x"}],
    {"key": SecretStr("hunter2"), "$secret": {"$secret": SecretStr("4711")}},
]

REFUSED: list[tuple[Any, str]] = [
    (Cart(item=Book(author="Ada")), "item would be lost or changed"),
    (Cart(any_item=Book(author="Ada")), "any_item would be lost or changed"),
    (Cart(pet=Dog()), "pet would be lost or changed"),
    (Number(value=NAN), "value would be lost or changed"),
    (Number(value=float("inf")), "value would be lost or changed"),
    (Hashing(text="x"), "text would be lost or changed"),
    (misspelt(), "name cannot be read (Input should be a valid string)"),
    ({"x": NAN}, "the number NaN, which JSON lacks"),
    ([float("-inf")], "the number -Infinity, which JSON lacks"),
    ({"cart": Cart(item=Book())}, "cart.item would be lost or changed"),
    ([Number(value=NAN)], "0.value would be lost or changed"),
    ({"number": 10**5000}, "could not be read again: number out of range"),
    (nested(250), "could not be read again: recursion limit exceeded"),
    ({1: "a", "1": "b"}, "the whole has two keys that are the same in JSON"),
    ({"a": {ONE: 1, str(ONE): 2}}, "a has two keys that are the same in JSON"),
    (Cart(anything={1: "a", "1": "b"}), "anything would be lost or changed"),
    (SecretBytes(b"\xff"), "cannot be stored as JSON"),
    ({True: 1, "true": 2}, "two keys that are the same in JSON"),
    ({SecretStr("x"): 1}, "a secret as a key"),
]


class ReadingJob(ModuleJob):
    model: ClassVar[Any] = None
    got: ClassVar[list[Any]] = []

    async def execute(self, context: JobExecutionContext) -> None:
        self.got.append(context.get_data(self.model))


def real(value: Any) -> Any:
    """Return plain data with the values of its secrets."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, dict):
        return {key: real(below) for key, below in value.items()}
    return [real(below) for below in value] if isinstance(value, list) else value


async def test_data_reach_the_job_as_they_were_given(database_url: str) -> None:
    async with jobs_host(database_url, more_jobs=(ReadingJob,)) as jobs:
        for value in (*KEPT, *ORDINARY):
            ReadingJob.got.clear()
            ReadingJob.model = type(value) if value in KEPT else Any
            ended = await jobs.ends(await jobs.scheduling.enqueue(ReadingJob, value))
            assert ended.error is None, value
            assert ReadingJob.got == [value if value in KEPT else real(value)]


async def test_a_field_of_any_type_gets_what_json_makes_of_its_value() -> None:
    stored = to_stored(Cart(anything=(1, {"a": ONE}, Item(name="x"))))
    assert stored is not None
    back = read_as(Cart, for_job(stored))
    assert back.anything == [1, {"a": str(ONE)}, {"name": "x"}]


@pytest.mark.parametrize(("value", "words"), REFUSED, ids=[words for _, words in REFUSED])
async def test_what_would_be_changed_is_refused(value: Any, words: str) -> None:
    with pytest.raises(InvalidJobData) as refused:
        to_stored(value)
    assert words in str(refused.value)


async def test_what_a_model_keeps_to_itself_is_not_missed() -> None:
    item = Item(name="x")
    item._cache = 5
    assert to_stored(item) == '{"name":"x"}'


async def test_keys_are_written_as_json_writes_them() -> None:
    assert to_stored({True: 1, None: [Item()], 1.5: 2}) == '{"true":1,"None":[{"name":""}],"1.5":2}'


async def test_edited_data_that_resemble_a_secret_stay_ordinary() -> None:
    before = to_stored({"token": SecretStr("hunter2"), "$secret": 1})
    stored = read_edited('{"token": "***", "$secret": {"$secret": 2}}', before)
    assert stored is not None
    assert read_as(Any, for_job(stored)) == {"token": "hunter2", "$secret": {"$secret": 2}}
    assert read_as(Any, for_job(read_edited('{"$secret": 5}', None) or "")) == {"$secret": 5}


async def test_edited_data_with_a_key_that_is_there_twice_are_refused() -> None:
    with pytest.raises(InvalidJobData, match="has the key 'b' twice; keep one"):
        read_edited('{"a": {"b": 1, "c": 2, "b": 3}}', None)


async def test_a_key_that_is_there_twice_is_found_among_many() -> None:
    """Counted once each: to compare every key with those before it would take minutes."""
    many = ", ".join(f'"k{number}": 0' for number in range(100_000))
    with pytest.raises(InvalidJobData, match="has the key 'k99999' twice; keep one"):
        read_edited(f'{{{many}, "k99999": 1}}', None)


async def test_ordinary_data_that_resemble_a_secret_are_shown() -> None:
    stored = to_stored({"$secret": 7, "token": SecretStr("hunter2")})
    assert stored is not None
    assert for_people(stored) == {"$secret": 7, "token": "***"}
    assert for_people(to_stored({"$secret": 5})) == {"$secret": 5}


async def test_a_type_that_the_job_names_decides_and_not_that_of_the_data() -> None:
    value = Cart(item=Book(author="Ada"))
    assert to_stored(value, model=Point) is not None
    with pytest.raises(InvalidJobData):
        to_stored(value, model=Cart)


async def test_refused_data_are_not_shown() -> None:
    class Shy(BaseModel):
        key: SecretStr = Field(exclude=True)
        other: int = 0

    with pytest.raises(InvalidJobData) as refused:
        to_stored(Shy(key=SecretStr("hunter2")))
    assert "key cannot be read (Field required)" in str(refused.value)
    assert "hunter2" not in str(refused.value)
