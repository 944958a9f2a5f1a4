"""A module whose start publishes an event to a slow subscriber and to one that hangs."""

from pathlib import Path
from typing import ClassVar

import anyio
from pydantic import BaseModel

from modhost import Module, ModuleOptions, Scope, ServiceCollection, hookimpl
from modhost.events import Event, Events
from processes.stage import Act, Stage


class Opened(Event):
    pass


class StoppingOptions(ModuleOptions):
    folder: Path


async def take_time(event: Opened, stage: Stage) -> None:
    stage.mark("started", Act(name="slow"))
    while not stage.is_open("stop"):
        await anyio.sleep(0.02)
    await anyio.sleep(0.2)
    stage.mark("finished", Act(name="slow"))


async def hang(event: Opened, stage: Stage) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        stage.mark("cancelled", Act(name="hanging"))


class StoppingModule(Module):
    name: ClassVar[str] = "stopping"
    options: ClassVar[type[BaseModel]] = StoppingOptions
    publishes: ClassVar[tuple[type[Event], ...]] = (Opened,)

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: StoppingOptions) -> None:
        services.add_instance(Stage, Stage(options.folder))
        services.subscribe(Opened, take_time)
        services.subscribe(Opened, hang)

    @hookimpl
    async def on_start(self, scope: Scope) -> None:
        await (await scope.get(Events)).publish(Opened())
