"""Jobs that cannot be given the event they subscribed to stop the start."""

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from background_jobs.events.subscribing import Bill, Confirm, Subscribing
from modhost import Module, ServiceCollection, hookimpl
from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    add_event_job,
    add_module_job,
)
from modhost_background_jobs.module import BackgroundJobsModule
from runtime.events.shop import OrderCancelled, OrderPlaced, Paid, Shop


class Untyped(ModuleJob):
    async def execute(self, context: JobExecutionContext) -> None: ...


class OfEither(ModuleJob[OrderPlaced | OrderCancelled]):
    async def execute(self, context: JobExecutionContext[OrderPlaced | OrderCancelled]) -> None: ...


class Alike(BaseModel):
    order: str


class OfData(ModuleJob[Alike]):
    async def execute(self, context: JobExecutionContext[Alike]) -> None: ...


class Strict(ModuleJob[OrderPlaced]):
    data_model = Annotated[OrderPlaced, Field(strict=True)]

    async def execute(self, context: JobExecutionContext[OrderPlaced]) -> None: ...


class Misspelt(Confirm):
    max_atempts = 3


class Later(ModuleJob["LateEvent"]):
    async def execute(self, context: JobExecutionContext["LateEvent"]) -> None: ...


class LateEvent(OrderPlaced):
    pass


def findings_of(*modules: Module) -> list[Finding]:
    try:
        build_host(Configuration(), "worker", modules=[Shop(), *modules])
    except StartupError as error:
        return list(error.findings)
    return []


def found_in(*durable: tuple[Any, Any]) -> list[Finding]:
    return findings_of(BackgroundJobsModule(), Subscribing(*durable))


@pytest.mark.parametrize(
    ("event", "job", "words"),
    [
        (OrderCancelled, Confirm, "Confirm subscribed to OrderCancelled, and has the data OrderP"),
        (OrderPlaced, Untyped, "Untyped subscribed to OrderPlaced, and has no type of data. Write"),
        (OrderPlaced, OfData, "has the data Alike. Write `ModuleJob[OrderPlaced]`"),
        (OrderPlaced, OfEither, "has the data runtime.events.shop.OrderPlaced | runtime.events"),
        (OrderPlaced, Later, "subscribed to OrderPlaced, and has the data LateEvent"),
    ],
)
def test_a_job_with_other_data_is_found(event: Any, job: Any, words: str) -> None:
    (finding,) = found_in((event, job))
    assert (finding.rule.code, finding.module) == ("MH617", "subscribing")
    assert words in str(finding)


@pytest.mark.parametrize("job", [Confirm, Bill, Strict])
def test_a_job_with_the_event_or_a_class_above_it_is_accepted(job: Any) -> None:
    assert found_in((OrderPlaced, job)) == []


@pytest.mark.parametrize(
    ("event", "job", "code"),
    [
        (Alike, OfData, "MH307"),
        ("OrderPlaced", Confirm, "MH307"),
        (OrderPlaced, Misspelt, "MH606"),
        (OrderPlaced, Alike, "MH605"),
    ],
)
def test_what_is_neither_an_event_nor_a_job_is_found(event: Any, job: Any, code: str) -> None:
    (finding,) = found_in((event, job))
    assert (finding.rule.code, finding.module) == (code, "subscribing")


def test_an_event_that_nobody_publishes_is_found() -> None:
    class Thank(ModuleJob[Paid]):
        async def execute(self, context: JobExecutionContext[Paid]) -> None: ...

    (finding,) = found_in((Paid, Thank))
    assert (finding.rule.code, finding.module) == ("MH308", "subscribing")


def test_a_job_that_subscribed_twice_is_found() -> None:
    (finding,) = found_in((OrderPlaced, Confirm), (OrderPlaced, Confirm))
    assert finding.rule.code == "MH305"


def test_a_job_may_be_registered_before_and_subscribe_to_several_events() -> None:
    class Both(Module):
        name = "both"

        @hookimpl
        def configure_services(self, services: ServiceCollection) -> None:
            add_module_job(services, Bill)
            add_event_job(services, OrderPlaced, Bill)
            add_event_job(services, OrderCancelled, Bill)

    assert findings_of(BackgroundJobsModule(), Both()) == []


def test_without_background_jobs_nobody_would_store_the_event() -> None:
    class Alone(Module):
        name = "alone"

        @hookimpl
        def configure_services(self, services: ServiceCollection) -> None:
            add_event_job(services, OrderPlaced, Confirm)

    (finding,) = findings_of(Alone())
    assert (finding.rule.code, finding.module) == ("MH301", "alone")
    assert "The durable subscriber Confirm needs modhost.events.DurableEvents" in finding.detail
