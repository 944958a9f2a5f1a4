"""What job classes say of flow control is checked when they are registered."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, RootModel, computed_field
from typing_extensions import TypedDict

from modhost import Module, ServiceCollection, hookimpl
from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost_background_jobs.contracts import (
    Concurrency,
    Fair,
    JobExecutionContext,
    ModuleJob,
    Rate,
    Unique,
    add_module_job,
)
from modhost_background_jobs.module import BackgroundJobsModule

SECOND = timedelta(seconds=1)
WRONG: Any = "wrong"
ODD: Any = 1.5
NONE: Any = None


class GoodJob(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None:
        pass


def job(_name: str = "J", /, **attributes: Any) -> type[ModuleJob]:
    return type(_name, (GoodJob,), {"__module__": "probe", **attributes})


def findings(*classes: tuple[str, type[ModuleJob]]) -> list[Finding]:
    """Return what a start finds in classes, each of which a module registers."""

    def module(of: str, registered: type[ModuleJob]) -> Module:
        class JobsModule(Module):
            name = of
            requires = ("background_jobs",)

            @hookimpl
            def configure_services(self, services: ServiceCollection) -> None:
                add_module_job(services, registered)

        return JobsModule()

    modules = [module(*each) for each in classes]
    try:
        build_host(Configuration(), "worker", modules=[BackgroundJobsModule(), *modules])
    except StartupError as error:
        return list(error.findings)
    return []


def found_in(*classes: tuple[str, type[ModuleJob]]) -> list[str]:
    return [f"{each.rule.code} {each.module}: {each.detail}" for each in findings(*classes)]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("queue", ["", "a,b", "!a", "*", "x" * 101, None, 5]),
        ("priority", [101, -101, True, "5", 1.5, None]),
        ("tags", ["tag", ("two words",), ("",), tuple("abcdefghijk"), (5,), None]),
        ("concurrency", [5, Concurrency(0), Concurrency(True), Concurrency(ODD), (5,)]),
        ("concurrency", [Concurrency(-1), Concurrency(10**7), Rate(1, SECOND), Concurrency]),
        ("concurrency", [Concurrency(1, per=""), Concurrency(1, per="a."), Concurrency(1, per=())]),
        ("concurrency", [Concurrency(1, name=""), Concurrency(1, name="a,b"), [Concurrency(1)]]),
        ("rate", [5, Rate(0, SECOND), Rate(1, timedelta(0)), Rate(1, -SECOND), Rate(1, WRONG)]),
        ("rate", [Concurrency(1), (Rate(1, SECOND), Concurrency(1)), Rate(1, timedelta.max)]),
        ("unique", [True, "field", Unique(until=WRONG), Unique(until=timedelta(0))]),
        ("unique", [Unique(on_conflict=WRONG), Unique(per=("a", "")), (Unique(),)]),
        ("fair", ["field", Fair(per=WRONG[:0]), Fair(per=()), Fair(per=NONE), True]),
    ],
)
def test_an_unusable_value_is_found(name: str, values: list[Any]) -> None:
    for value in values:
        expected = f"MH607 probe: the {name} of probe.J is {value!r}."
        assert found_in(("probe", job(**{name: value}))) == [expected]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("concurrency_limit", "concurrency"),
        ("concurency", "concurrency"),
        ("rate_limit", "rate"),
        ("uniq", "unique"),
        ("unique_for", "unique"),
        ("queue_name", "queue"),
        ("prio", "priority"),
        ("tag", "tags"),
        ("fair_share", "fair"),
    ],
)
def test_a_misspelt_attribute_is_found(name: str, meant: str) -> None:
    (finding,) = findings(("probe", job(**{name: 5})))
    assert (finding.rule.code, finding.remedy) == ("MH606", f"Did you mean {meant!r}?")


@dataclass
class Inner:
    id: int


class Table(TypedDict):
    id: int


class Data(BaseModel):
    name: str
    inner: Inner | None = None
    table: Annotated[Table, "a table"]
    root: RootModel[Inner]
    anything: dict[str, Any] = Field(default_factory=dict)
    either: int | Inner = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def length(self) -> int:
        return len(self.name)


@pytest.mark.parametrize(
    ("per", "is_there"),
    [
        ("name", True),
        ("length", True),
        ("inner.id", True),
        ("table.id", True),
        ("root.id", True),
        ("anything.at.all", True),
        ("either.id", True),
        ("nam", False),
        ("inner.nope", False),
        ("table.nope", False),
        ("root.nope", False),
        ("name.first", False),
    ],
)
def test_a_field_that_the_data_lack_is_found(per: str, is_there: bool) -> None:
    for name, value in {
        "concurrency": (Concurrency(1), Concurrency(2, per=per)),
        "rate": Rate(1, SECOND, per=("name", per)),
        "unique": Unique(per=per),
        "fair": Fair(per=per),
    }.items():
        found = found_in(("probe", job(data_model=Data, **{name: value})))
        lacking = f"MH613 probe: the {name} of probe.J is per {per!r}, which its data_model lacks."
        assert found == ([] if is_there else [lacking])


def test_without_a_model_the_fields_are_not_known() -> None:
    assert found_in(("probe", job(unique=Unique(per="whatever")))) == []


def test_several_limits_of_a_class_have_names_of_their_own() -> None:
    limits = (Concurrency(1), Concurrency(2))
    (found,) = found_in(("probe", job(concurrency=limits)))
    assert found.startswith(
        "MH614 probe: the limit 'probe.J.concurrency' of probe.J is Concurrency"
    )
    assert found_in(("probe", job(concurrency=(Concurrency(1), Concurrency(2, per="a"))))) == []


@pytest.mark.parametrize(
    ("attributes", "described"),
    [
        ({"concurrency": Concurrency(2, name="crm")}, "Concurrency 2"),
        ({"rate": Rate(1, SECOND, name="crm")}, "Rate 1 in 0:00:01"),
        ({"concurrency": Concurrency(1, per="other", name="crm")}, None),
    ],
)
def test_types_that_share_a_limit_say_the_same(
    attributes: dict[str, Any], described: str | None
) -> None:
    one = job("One", concurrency=Concurrency(1, per="field", name="crm"))
    other = job("Two", **attributes)
    found = found_in(("first", one), ("second", other))
    expected = f"MH614 second: the limit 'crm' of second.Two is {described}, "
    expected += "and that of first.One is Concurrency 1."
    assert found == ([] if described is None else [expected])


def test_rates_of_one_name_and_different_periods_are_found() -> None:
    one = job("One", rate=Rate(1, SECOND, name="crm"))
    other = job("Two", rate=Rate(1, 2 * SECOND, name="crm"))
    (found,) = found_in(("first", one), ("second", other))
    assert "Rate 1 in 0:00:02" in found
    assert "first.One is Rate 1 in 0:00:01" in found
