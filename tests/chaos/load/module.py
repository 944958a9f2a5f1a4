"""The module of the trial, which real processes find through an entry point."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from chaos.ledger import Ledger
from chaos.load.controls import Controls, MovedClock, Orders
from chaos.load.jobs import JOBS, OnOrder, Ordered
from chaos.load.offering import Offers
from chaos.load.producing import Producer
from chaos.load.stepped import STEPPED
from modhost import Module, ModuleOptions, ServiceCollection, hookimpl
from modhost.events import Event
from modhost.module import HostedService
from modhost_background_jobs.contracts import add_event_job, add_module_job


class ChaosOptions(ModuleOptions):
    folder: Path
    produces: bool = False


class ChaosModule(Module):
    name: ClassVar[str] = "chaos"
    version: ClassVar[str] = "1.0"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    options: ClassVar[type[BaseModel]] = ChaosOptions
    publishes: ClassVar[tuple[type[Event], ...]] = (Ordered,)

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: ChaosOptions) -> None:
        services.add_instance(Ledger, Ledger(options.folder / "ledger"))
        services.add_instance(Orders, Orders(options.folder / "orders"))
        services.add_instance(Path, options.folder)
        for each in (MovedClock, Controls, Offers, Producer):
            services.add_singleton(each)
        for job in JOBS:
            add_module_job(services, job)
        for stepped in STEPPED:
            add_module_job(services, stepped)
        add_event_job(services, Ordered, OnOrder)

    @hookimpl
    def hosted_services(self, options: ChaosOptions) -> Sequence[type[HostedService]]:
        return [Controls, Producer] if options.produces else [Controls]
