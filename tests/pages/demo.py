"""A module with realistic jobs: long names, long logs, long errors, progress."""

from datetime import timedelta
from typing import Any, ClassVar

import anyio
from pydantic import BaseModel

from modhost import Module, ServiceCollection, hookimpl
from modhost_background_jobs.contracts import (
    Concurrency,
    JobExecutionContext,
    ModuleJob,
    Rate,
    add_module_job,
)


class Steps(BaseModel):
    """The number of a job's steps, the length of each, and the step that fails, if any."""

    begin: int = 0
    steps: int = 3
    pause: float = 0.0
    fail_at: int | None = None
    lines: int = 0
    note: str = ""


class ImportCustomersJob(ModuleJob):
    data_model: ClassVar[Any] = Steps
    max_attempts: ClassVar[int | None] = 1

    @staticmethod
    def summary(data: Any) -> str | None:
        return data.note or None if isinstance(data, Steps) else None

    async def execute(self, context: JobExecutionContext) -> dict[str, int]:
        steps = context.get_data(Steps)
        for line in range(steps.lines):
            context.log(f"Read record {line} of the export: checked, converted and stored")
        for step in range(steps.begin, steps.steps):
            context.report_progress(100 * step / steps.steps, f"Step {step + 1} of {steps.steps}")
            context.log(f"Step {step + 1} of {steps.steps} {steps.note}".strip())
            if step == steps.fail_at:
                raise ConnectionError(f"The server of customers refused record {step}")
            await anyio.sleep(steps.pause)
        context.report_progress(100, "All customers are imported")
        return {"imported": steps.steps}


class SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob(ImportCustomersJob):
    max_attempts: ClassVar[int | None] = 3
    retry_base_delay: ClassVar[timedelta | None] = timedelta(hours=1)


class SendInvoicesJob(ImportCustomersJob):
    pass


class RebuildSearchIndexJob(ImportCustomersJob):
    pass


class CallPartnerJob(ImportCustomersJob):
    queue: ClassVar[str] = "partners"
    concurrency: ClassVar[Any] = Concurrency(1, per="note")
    rate: ClassVar[Any] = Rate(600, timedelta(minutes=1), name="partner/api")


class DemoModule(Module):
    name: ClassVar[str] = "customers"
    requires: ClassVar[tuple[str, ...]] = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        for job in (ImportCustomersJob, SendInvoicesJob, RebuildSearchIndexJob, CallPartnerJob):
            add_module_job(services, job)
        add_module_job(services, SynchroniseInventoryOfAllWarehousesWithTheAccountingSystemJob)
