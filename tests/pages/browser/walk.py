"""A job that goes as far as a test lets it, and a site that has it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import anyio

from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, add_module_job
from pages.site import Site, site

STEPS = 900


class Walk(ModuleJob):
    """Takes the steps that are allowed, ten a second at most, and ends with the last."""

    allowed: ClassVar[int] = 0
    last: ClassVar[int] = STEPS
    lines_before: ClassVar[int] = 0

    @classmethod
    def begin(cls, *, allowed: int, last: int = STEPS, lines_before: int = 0) -> None:
        """Say how far the next one goes at first."""
        cls.allowed, cls.last, cls.lines_before = allowed, last, lines_before

    async def execute(self, context: JobExecutionContext) -> None:
        for line in range(self.lines_before):
            context.log(f"Read record {line} of the export: checked, converted and stored")
        for step in range(1, self.last + 1):
            await anyio.sleep(0.1)
            while step > Walk.allowed:
                await anyio.sleep(0.02)
            context.report_progress(100 * step / self.last, f"Step {step} of {self.last}")
            context.log(f"Step {step} of {self.last}")


class WalkingModule(Module):
    name: ClassVar[str] = "walking"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, Walk)


@asynccontextmanager
async def walking_site(database_url: str) -> AsyncIterator[Site]:
    """Serve until the end of the block."""
    async with site(database_url, modules=(WalkingModule(),)) as served:
        yield served
