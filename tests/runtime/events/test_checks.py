"""Subscribers that cannot work stop the start, and say what to do."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.events import Event
from modhost.runtime.assembly import build_host
from runtime.events.shop import Counts, OrderPlaced, Paid, Shop, Stock, note


def findings_of(event: Any, subscriber: Any) -> list[Finding]:
    try:
        build_host(Configuration({}), "web", modules=[Shop(), Stock((event, subscriber))])
    except StartupError as error:
        return list(error.findings)
    return []


class Absent:
    pass


class NoHandle:
    pass


class OfAnother:
    async def handle(self, event: Paid) -> None: ...


class WithMore:
    async def handle(self, event: OrderPlaced, absent: Absent) -> None: ...


async def nothing() -> None: ...


async def unannotated(event) -> None: ...  # type: ignore[no-untyped-def]


async def second(event: OrderPlaced, absent) -> None: ...  # type: ignore[no-untyped-def]


async def by_name(*, event: OrderPlaced) -> None: ...


async def later(event: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


async def yielding(event: OrderPlaced) -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("event", "subscriber", "words"),
    [
        (dict, note, "dict is not a class of events. Derive it from modhost.events.Event."),
        ("OrderPlaced", note, "OrderPlaced is not a class of events"),
        (OrderPlaced(order="one"), note, "is not a class of events"),
        (OrderPlaced, NoHandle, "NoHandle.handle is not a function. Subscribe a function, or"),
        (OrderPlaced, 5, "5 is not a function"),
        (OrderPlaced, OfAnother, "OfAnother.handle takes <class 'runtime.events.shop.Paid'> first"),
        (OrderPlaced, WithMore, "takes more than the event. Take services in the constructor."),
        (OrderPlaced, nothing, "nothing takes no event. Let its first parameter be `event: Orde"),
        (OrderPlaced, by_name, "by_name takes no event"),
        (OrderPlaced, unannotated, "the parameter 'event' of unannotated has no annotation"),
        (OrderPlaced, second, "the parameter 'absent' of second has no annotation"),
        (OrderPlaced, later, "the annotations of later cannot be resolved: name 'Nowhere'"),
        (OrderPlaced, yielding, "yielding has a `yield`"),
        (Event, Counts, "Counts.handle takes"),
    ],
)
def test_a_subscriber_that_does_not_fit_is_found(event: Any, subscriber: Any, words: str) -> None:
    (finding,) = findings_of(event, subscriber)
    assert (finding.rule.code, finding.module) == ("MH307", "stock")
    assert words in f"{finding.detail} {finding.remedy}"


def test_an_event_that_nobody_publishes_is_found() -> None:
    async def thank(event: Paid) -> None: ...

    (finding,) = findings_of(Paid, thank)
    assert (finding.rule.code, finding.module) == ("MH308", "stock")
    assert "thank subscribed to runtime.events.shop.Paid, which no module publishes" in str(finding)


def test_a_service_that_a_subscriber_lacks_is_found() -> None:
    async def check(event: OrderPlaced, absent: Absent) -> None: ...

    class Checks:
        def __init__(self, absent: Absent) -> None: ...

        async def handle(self, event: OrderPlaced) -> None: ...

    for subscriber in (check, Checks):
        (finding,) = findings_of(OrderPlaced, subscriber)
        assert finding.rule.code == "MH301"
        assert "Absent" in finding.detail


def test_a_subscriber_of_an_event_twice_is_found() -> None:
    twice = Stock((OrderPlaced, note), (OrderPlaced, note))
    with pytest.raises(StartupError, match=r"MH305.*note of runtime.events.shop.OrderPlaced"):
        build_host(Configuration({}), "web", modules=[Shop(), twice])


@pytest.mark.parametrize("value", [OrderPlaced, (dict,), None, "OrderPlaced"])
def test_what_a_module_publishes_are_classes_of_events(value: Any) -> None:
    module = type("Probe", (Shop,), {"publishes": value})()
    with pytest.raises(StartupError, match=r"MH117.*subclasses of modhost.events.Event"):
        build_host(Configuration({}), "web", modules=[module])


def test_a_misspelt_attribute_is_found() -> None:
    module = type("Probe", (Shop,), {"events": ()})()
    with pytest.raises(StartupError, match=r"MH118.*Did you mean 'publishes'"):
        build_host(Configuration({}), "web", modules=[module])
