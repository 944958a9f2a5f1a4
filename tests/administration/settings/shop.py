"""A module with a setting of each kind, and hosts that share a database."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

import anyio
from pydantic import Field, model_validator

from modhost import Module, ModuleSettings, Settings
from modhost.durations import Duration
from modhost.module import Role
from modhost.testing import RunningHost, running_host

VIEW = "Host.ViewSettings"
MANAGE = "Host.ManageSettings"


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class ShopSettings(ModuleSettings):
    open: bool = Field(True, title="Open", description="Whether orders are taken.")
    fewest: int = Field(1, ge=0, le=100)
    most: int = Field(10, ge=0, le=100, title="Most items")
    rate: float = 0.5
    price: Decimal = Decimal("9.90")
    greeting: str = "Hello"
    note: str = Field("", max_length=1000)
    colour: Colour = Colour.RED
    size: Literal[1, 2, 3] = 2
    delay: Duration = timedelta(seconds=5)
    opened: date | None = None
    names: list[Annotated[str, Field(max_length=5)]] = ["a", "b"]  # noqa: RUF012 - pydantic copies it

    @model_validator(mode="after")
    def _in_order(self) -> "ShopSettings":
        if self.fewest > self.most:
            raise ValueError("The fewest items must not be more than the most.")
        return self


class Shop(Module):
    name = "shop"
    settings: ClassVar[type[ModuleSettings] | None] = ShopSettings


@asynccontextmanager
async def hosted(
    database_url: str, role: Role = "web", module: Module | None = None, **settings: Any
) -> AsyncIterator[RunningHost]:
    """Run a host of the module; `settings` are those of the configuration."""
    config = {
        "host": {"database_url": database_url},
        "modules": {"shop": {"settings": settings}} if settings else {},
    }
    async with running_host([module or Shop()], config=config, role=role) as host:
        yield host


async def settings_of(host: RunningHost) -> Settings[ShopSettings]:
    async with host.scope() as scope:
        return await scope.get(Settings[ShopSettings])


async def within_a_second(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what is promised within a second; a busy machine has ten."""
    with anyio.fail_after(seconds):
        while not condition():
            await anyio.sleep(0.02)
