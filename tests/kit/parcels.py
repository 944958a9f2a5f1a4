"""A module whose jobs the tests of the kit run."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr

from modhost import Module, Permission, ServiceCollection, hookimpl
from modhost.web import Body, Endpoints
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    JobExecutionContext,
    ModuleJob,
    Rate,
    Snooze,
    add_module_job,
)

SEND = Permission("Parcels.Send", "Send parcels.")


class Parcel(BaseModel):
    to: str
    pieces: int = 1
    code: SecretStr | None = None


class Address:
    """A service of the module."""

    def of(self, name: str) -> str:
        return f"{name}, 1 Mill Lane"


class SendParcel(ModuleJob[Parcel, str]):
    retry_base_delay = timedelta(minutes=1)

    def __init__(self, address: Address, jobs: BackgroundJobs) -> None:
        self._address = address
        self._jobs = jobs

    async def execute(self, context: JobExecutionContext[Parcel]) -> str:
        parcel = context.data
        address = await context.step("address", self._address.of, parcel.to)
        context.report_progress(50, "packed")
        context.log(f"to {address}")
        if parcel.to == "nobody":
            raise ValueError("nobody lives there")
        if parcel.to == "later":
            raise Snooze(timedelta(hours=1))
        if parcel.pieces > 1:
            context.checkpoint({"left": parcel.pieces - 1})
            rest = parcel.model_copy(update={"pieces": parcel.pieces - 1})
            await self._jobs.enqueue(SendParcel, rest, queue="rest")
        return address


class CountStock(ModuleJob[None, None]):
    rate = Rate(1, timedelta(minutes=1))

    def execute(self, context: JobExecutionContext[None]) -> None:
        context.log(f"for {context.due_at}")


class ParcelsModule(Module):
    name = "parcels"
    route_prefix = "/api/parcels"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(Address)
        for job in (SendParcel, CountStock):
            add_module_job(services, job)

    @hookimpl
    def configure_permissions(self) -> list[Permission]:
        return [SEND]

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        async def send(body: Body[Parcel], jobs: BackgroundJobs) -> dict[str, Any]:
            return {"job_id": await jobs.enqueue(SendParcel, body)}

        endpoints.post("/", send, permission=SEND, status=202)
