"""A start refuses metrics that could not be exposed."""

from typing import Any, ClassVar

import pytest

from modhost import Module, hookimpl
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.metrics import Histogram, Metric, Samples
from modhost.runtime.assembly import build_host
from runtime.metrics.measuring import AGE, LENT, WAIT, Library


def refused(*modules: Module) -> list[str]:
    with pytest.raises(StartupError) as raised:
        build_host(Configuration({}), "web", modules=modules)
    return [f"{each.rule.code} {each.detail} {each.remedy}" for each in raised.value.findings]


def library_with(*declared: Any) -> Module:
    class Other(Library):
        metrics: ClassVar[Any] = declared

    return Other()


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (Metric("lent_total", "counter", "Lent."), "Call it library_lent_total."),
        (Metric("library_lent", "counter", "Lent."), "Call it library_lent_total."),
        (Metric("library_lent_total", "gauge", "Lent."), "its name ends in _total"),
        (Metric("library_lent_sum", "gauge", "Lent."), "its name ends in _sum"),
        (Metric("library_lent-now", "gauge", "Lent."), "its name is malformed."),
        (Metric("library_wait", "histogram", "Wait.", ("le",)), "its label 'le' is malformed."),
        (Metric("library_wait", "gauge", "Wait.", ("Kind",)), "its label 'Kind' is malformed."),
        (Metric("library_wait", "summary", "Wait."), "its kind is 'summary'."),  # type: ignore[arg-type]
        (Metric("library_wait", "gauge", "Wait.", max_series=0), "Write 1 or more."),
    ],
)
def test_what_could_not_be_exposed_is_refused(metric: Metric, reason: str) -> None:
    (found,) = refused(library_with(metric))
    assert found.startswith("MH120")
    assert reason in found


def test_one_name_is_one_metric() -> None:
    (found,) = refused(library_with(AGE, AGE))
    assert "'library_age_days' is declared 2 times." in found

    class Annex(Library):
        name: ClassVar[str] = "library_wait"
        metrics: ClassVar[tuple[Metric, ...]] = (
            Metric("library_wait_seconds_count", "counter", "Clashes."),
        )

    found = next(each for each in refused(Library(), Annex()) if "again" in each)
    assert "'library_wait_seconds_count' is declared by library and again by library_wait." in found


def test_declarations_and_the_hook_belong_together() -> None:
    class Silent(Module):
        name: ClassVar[str] = "silent"
        metrics: ClassVar[tuple[Metric, ...]] = (Metric("silent_total", "counter", "Nothing."),)

    class Loud(Module):
        name: ClassVar[str] = "loud"

        @hookimpl
        async def collect_metrics(self, samples: Samples) -> None:
            """Add what nobody has declared."""

    assert "does not implement collect_metrics" in refused(Silent())[0]
    assert "declares no metrics" in refused(Loud())[0]


def test_one_metric_needs_a_comma() -> None:
    class Bare(Library):
        metrics: ClassVar[Any] = LENT

    (found,) = refused(Bare())
    assert "one alone needs a comma" in found


@pytest.mark.parametrize(
    ("metric", "value", "labels", "reason"),
    [
        (AGE, 1, {"kind": "x"}, "does not declare library_age_days"),
        (LENT, 1, {}, "The labels of library_lent_total are kind, not none."),
        (WAIT, 1, {}, "library_wait_seconds is a histogram"),
        (WAIT, Histogram((2.0,)), {}, "same bounds"),
        (LENT, Histogram(), {"kind": "x"}, "library_lent_total is a counter"),
        (LENT, None, {"kind": "x"}, "None does not fit it"),
        (LENT, 1, {"kind": 7}, "The label kind of library_lent_total is 7; give it a text."),
        (LENT, 1, {"kind": None}, "is None; give it a text."),
        (LENT, 1, {"kind": "\udcff"}, r"is '\\udcff'; give it a text."),
    ],
)
def test_only_what_fits_is_added(
    metric: Metric, value: Any, labels: dict[str, Any], reason: str
) -> None:
    samples = Samples([LENT, WAIT])
    samples.add(WAIT, Histogram((1.0,)))
    with pytest.raises(ValueError, match=reason):
        samples.add(metric, value, **labels)
