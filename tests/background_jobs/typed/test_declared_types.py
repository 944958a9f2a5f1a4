"""What follows from the types of `ModuleJob[Data, Result]`, and what contradicts them."""

from datetime import date
from functools import partial
from typing import Annotated, Any, Generic, Optional, TypeVar

import pytest
from pydantic import AfterValidator, BaseModel, Field

from background_jobs.client.test_job_classes import found_in
from background_jobs.hosts import jobs_host
from modhost_background_jobs.contracts import (
    InvalidJobData,
    JobExecutionContext,
    JobState,
    ModuleJob,
)

Item = TypeVar("Item")
VALIDATED: list[str] = []


def noted(path: str) -> str:
    VALIDATED.append(path)
    return path


class Image(BaseModel):
    path: Annotated[str, AfterValidator(noted)]


class Size(BaseModel):
    width: int


class Resize(ModuleJob[Image, Size]):
    async def execute(self, context: JobExecutionContext[Image]) -> Size:
        before = len(VALIDATED)
        read = [type(context.data).__name__, context.data.path]
        context.log(f"{' '.join(read)} {VALIDATED[before:]}")
        return Size(width=1)


class ResizeMore(Resize):
    pass


class Import(ModuleJob[list[Item], int], Generic[Item]):
    def execute(self, context: JobExecutionContext[list[Item]]) -> int:
        context.log(repr(context.data))
        return len(context.data)


class ImportSizes(Import[Size]):
    pass


class Plain(ModuleJob):
    def execute(self, context: JobExecutionContext) -> None:
        context.log(repr(context.data))


class Indifferent(ModuleJob[Image]):
    async def execute(self, context: JobExecutionContext[Image]) -> None:
        pass


class PlainBefore(Plain, ModuleJob[Image, Size]):
    pass


class Sweep(ModuleJob[None]):
    async def execute(self, context: JobExecutionContext[None]) -> None:
        context.log(repr(context.data))


class Later(ModuleJob["Late", "list[Late]"]):
    async def execute(self, context: JobExecutionContext["Late"]) -> "list[Late]":
        return [context.data]


class LaterWithin(ModuleJob[Optional["Late"], list["Late"]]):
    async def execute(self, context: JobExecutionContext) -> list["Late"]:
        return [context.data]


class Late(BaseModel):
    at: int


@pytest.mark.parametrize(
    ("job", "data", "result"),
    [
        (Resize, Image, Size),
        (ResizeMore, Image, Size),
        (Import, None, int),
        (ImportSizes, list[Size], int),
        (Plain, None, None),
        (PlainBefore, Image, Size),
        (Sweep, type(None), None),
        (Later, Late, list[Late]),
        (LaterWithin, Late | None, list[Late]),
    ],
)
def test_models_follow_from_the_brackets(job: type[ModuleJob], data: Any, result: Any) -> None:
    assert found_in(job) == []
    assert (job.data_model, job.result_model) == (data, result)


def declared(base: Any, **attributes: Any) -> type[ModuleJob]:
    return type("J", (base,), {"__module__": "probe", **attributes})


@pytest.mark.parametrize(
    ("base", "attributes", "words"),
    [
        (
            Resize,
            {"data_model": Late},
            "data_model of probe.J is Late, and ModuleJob[...] says Image",
        ),
        (ImportSizes, {"data_model": list[int]}, "is list[int], and ModuleJob[...] says list["),
        (Sweep, {"data_model": Image}, "is Image, and ModuleJob[...] says NoneType"),
        (
            Resize,
            {"result_model": int},
            "result_model of probe.J is int, and ModuleJob[...] says S",
        ),
    ],
)
def test_a_model_that_contradicts_the_brackets_stops_the_start(
    base: type, attributes: dict[str, Any], words: str
) -> None:
    (finding,) = found_in(declared(base, **attributes))
    assert (finding.rule.code, finding.module) == ("MH616", "probe")
    assert words in finding.detail
    (name,) = attributes
    assert finding.remedy.startswith(f"Leave {name} out")


def test_a_model_that_says_the_same_or_more_is_left_alone() -> None:
    strict = Annotated[Image, Field(strict=True)]
    for model in (Image, None, strict):
        assert found_in(declared(Resize, data_model=model)) == []
    assert declared(Resize, data_model=strict).data_model == strict
    assert declared(declared(Resize, data_model=strict)).data_model == strict


def test_a_type_that_nothing_defines_stops_the_start() -> None:
    class Broken(ModuleJob["Nowhere"]):  # type: ignore[name-defined]
        async def execute(self, context: JobExecutionContext) -> None:
            pass

    (finding,) = found_in(Broken)
    assert finding.rule.code == "MH607"
    assert "is ForwardRef('Nowhere'" in finding.detail


@pytest.mark.anyio
async def test_data_are_validated_once_when_a_job_asks_for_them(sqlite_url: str) -> None:
    async with jobs_host(sqlite_url, more_jobs=[Resize, ImportSizes, Plain, Sweep]) as jobs:
        typed = await jobs.scheduling.enqueue(Resize, Image(path="a.png"))
        many = await jobs.scheduling.enqueue(ImportSizes, [Size(width=2)])
        plain = [await jobs.scheduling.enqueue(Plain, data) for data in ({"a": [1]}, None)]
        nothing = await jobs.scheduling.enqueue(Sweep)
        shown = [
            [line.message for line in (await jobs.ends(each)).logs]
            for each in (typed, many, *plain, nothing)
        ]
    assert shown == [
        ["Image a.png ['a.png']"],
        ["[Size(width=2)]"],
        ["{'a': [1]}"],
        ["None"],
        ["None"],
    ]


@pytest.mark.anyio
async def test_data_that_do_not_fit_fail_a_job_that_asks_for_them(sqlite_url: str) -> None:
    given: Any = {"paht": "a.png"}
    async with jobs_host(sqlite_url, more_jobs=[Resize, Indifferent]) as jobs:
        ended = await jobs.ends(await jobs.scheduling.enqueue(Resize, given))
        other = await jobs.ends(await jobs.scheduling.enqueue(Indifferent, given))
    assert other.state is JobState.COMPLETED
    assert (ended.state, len(ended.attempts)) == (JobState.FAILED, 1)
    assert str(ended.error).startswith("JobDataError: The job's data does not fit Image: path: ")


class Dated(BaseModel):
    """Reads a date as a text."""

    at: str | date


class ReadDated(ModuleJob[list[Dated]]):
    async def execute(self, context: JobExecutionContext[list[Dated]]) -> None:
        pass


class MayReadDated(ModuleJob[Dated | None]):
    async def execute(self, context: JobExecutionContext[Dated | None]) -> None:
        pass


@pytest.mark.anyio
async def test_data_that_would_be_read_otherwise_are_refused_as_without_types(
    sqlite_url: str,
) -> None:
    dated = Dated(at=date(2026, 1, 1))
    more: list[type[ModuleJob]] = [ReadDated, MayReadDated, Plain]
    async with jobs_host(sqlite_url, mode="Producer", more_jobs=more) as jobs:
        for call in (
            partial(jobs.scheduling.enqueue, ReadDated, [dated]),
            partial(jobs.scheduling.enqueue, MayReadDated, dated),
            partial(jobs.scheduling.enqueue, Plain, [dated]),
        ):
            with pytest.raises(InvalidJobData, match="at would be read as str instead of date"):
                await call()
