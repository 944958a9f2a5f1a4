"""`/health/live` and `/health/ready`: for load balancers, container platforms and people."""

from functools import partial
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel
from sqlalchemy import text

from modhost.module import HealthReport
from modhost.permissions import ANYONE
from modhost.plugins.discovery import FoundModule
from modhost.runtime.health import Check, Readiness, readiness
from modhost.web import Endpoints, Reply

if TYPE_CHECKING:
    from modhost.runtime.host import Host


class Liveness(BaseModel):
    """That the process answers."""

    status: Literal["alive"] = "alive"


class HealthEndpoints:
    """The handlers; they are given the host once it is built."""

    def __init__(self) -> None:
        self.host: Host | None = None

    def map(self, endpoints: Endpoints) -> None:
        """Declare the handlers, open to everyone: they tell nothing secret."""
        endpoints.get("/health/live", self.live, permission=ANYONE)
        endpoints.get("/health/ready", self.ready, permission=ANYONE)

    async def live(self) -> Liveness:
        """Tell that the process answers."""
        return Liveness()

    async def ready(self) -> Reply[Readiness]:
        """Tell whether the host can do its work, part by part; 503 when it cannot."""
        found = await readiness(self._checks())
        return Reply(found, status=503 if found.status == "unhealthy" else 200)

    def _checks(self) -> dict[str, Check]:
        host = self.host
        if host is None:
            return {"host": _not_yet}
        checks: dict[str, Check] = {"database": partial(_database, host)}
        if host.supervisor is not None:
            checks["hosted_services"] = partial(_hosted, host)
        for found in host.modules:
            checks[found.module.name] = partial(_module, host, found)
        for skipped in host.skipped:
            checks[skipped.name] = _left_out
        return checks


async def _not_yet() -> HealthReport:
    return HealthReport("unhealthy", "The host has not started.")


async def _left_out() -> HealthReport:
    return HealthReport("degraded", "The module could not be imported and was left out.")


async def _database(host: "Host") -> HealthReport:
    async with host.database.reading() as session:
        await (await session.connection()).execute(text("SELECT 1"))
    return HealthReport("healthy")


async def _hosted(host: "Host") -> HealthReport:
    states = host.supervisor.report() if host.supervisor else []
    down = [state.name for state in states if state.state == "restarting"]
    data = {state.name: {"state": state.state, "restarts": state.restarts} for state in states}
    if down:
        return HealthReport("degraded", f"Crashed, and restarting: {', '.join(down)}.", data)
    return HealthReport("healthy", "", data)


async def _module(host: "Host", found: FoundModule) -> HealthReport:
    return await host.check_health(found) or HealthReport("healthy")
