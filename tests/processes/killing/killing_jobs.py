"""The jobs of workflows whose workers are killed, which note in a ledger when they run."""

from pathlib import Path
from typing import ClassVar

import anyio
from pydantic import BaseModel

from modhost import Module, ModuleOptions, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    JobExecutionContext,
    ModuleJob,
    PermanentJobError,
    add_module_job,
)
from processes.racing.ledger import Ledger


class KillingOptions(ModuleOptions):
    folder: Path


class Part(BaseModel):
    """What a job does."""

    seconds: float = 0.0
    fails: bool = False


class PartJob(ModuleJob[Part]):
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    async def execute(self, context: JobExecutionContext[Part]) -> None:
        part = context.get_data(Part)
        with self.ledger.running(str(context.job_id), []):
            await anyio.sleep(part.seconds)
            if part.fails:
                raise PermanentJobError("as planned")


class KillingModule(Module):
    name: ClassVar[str] = "killing"
    version: ClassVar[str] = "1.0"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)
    options: ClassVar[type[BaseModel]] = KillingOptions

    @hookimpl
    def configure_services(self, services: ServiceCollection, options: KillingOptions) -> None:
        services.add_instance(Ledger, Ledger(options.folder / "ledger"))
        add_module_job(services, PartJob)
