"""Health: `/health/live` and `/health/ready`, for load balancers, containers and people."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, Literal

import anyio
from pydantic import BaseModel, Field, TypeAdapter
from sqlalchemy import text

from modhost import ANYONE, HealthReport
from modhost.failures import failures, own_cancellation
from modhost.module import Status
from modhost.plugins import FoundModule
from modhost.runtime.host import Host
from modhost.web import Endpoints, Reply
from modhost.web.binding.results import encode

logger = logging.getLogger(__name__)

CHECK_TIMEOUT: Final = 5.0
_CHECK: Final = "The health check"
_ONLY_READS: Final = {
    "sqlite": "SELECT 0",
    "postgresql": "SELECT pg_is_in_recovery() "
    "OR current_setting('default_transaction_read_only')::boolean",
}
_RANK: Final[tuple[Status, ...]] = ("healthy", "degraded", "unhealthy")

Check = Callable[[], Awaitable[HealthReport]]


class Liveness(BaseModel):
    """That the process answers."""

    status: Literal["alive"] = "alive"


class PartHealth(BaseModel):
    """The health of one part of the host."""

    status: Status
    detail: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


_PART: Final = TypeAdapter(PartHealth)


class Readiness(BaseModel):
    """The health of the host: that of its worst part."""

    status: Status
    parts: dict[str, PartHealth]


async def readiness(checks: Mapping[str, Check]) -> Readiness:
    """Run all checks at the same time, each bounded, and gather their reports."""
    reports: dict[str, PartHealth] = {}

    async def run(name: str, check: Check) -> None:
        reports[name] = await _bounded(name, check)

    async with anyio.create_task_group() as group:
        for name, check in checks.items():
            group.start_soon(run, name, check)
    parts = {name: reports[name] for name in checks}
    statuses = [part.status for part in parts.values()]
    return Readiness(status=max(statuses, key=_RANK.index, default="healthy"), parts=parts)


async def _bounded(name: str, check: Check) -> PartHealth:
    what = f"{_CHECK} of {name}"
    try:
        with anyio.move_on_after(CHECK_TIMEOUT), own_cancellation():
            report = PartHealth.model_validate(await check(), from_attributes=True)
            # What JSON cannot hold is the ill health of this part, and not of the whole answer.
            sent = PartHealth.model_validate_json(encode(_PART, report))
            failures.passed(what)
            return sent
    except Exception as error:  # noqa: BLE001 - whatever it is, it is logged
        # What went wrong may hold secrets; it is for the log alone.
        failures.failed(logger, what, error)
        return PartHealth(status="unhealthy", detail="The check failed; the log says why.")
    late = f"The check took longer than {CHECK_TIMEOUT:g} s."
    return PartHealth(status="unhealthy", detail=late)


class HealthEndpoints:
    """The handlers; they are given the host once it is built."""

    def __init__(self) -> None:
        self.host: Host | None = None

    def map(self, endpoints: Endpoints) -> None:
        """Declare the handlers, open to everyone: they report nothing secret."""
        endpoints.get("/health/live", self.live, permission=ANYONE)
        endpoints.get("/health/ready", self.ready, permission=ANYONE)

    async def live(self) -> Liveness:
        """Report that the process answers."""
        return Liveness()

    async def ready(self) -> Reply[Readiness]:
        """Report whether the host can do its work, part by part; 503 when it cannot."""
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
            checks[found.module.name] = partial(module_health, host, found)
        for skipped in host.skipped:
            checks[skipped.name] = _left_out
        return checks


async def module_health(host: Host, found: FoundModule) -> HealthReport:
    """Return a module's report of itself, `healthy` when it makes none."""
    return await host.call_hook(found, "check_health") or HealthReport("healthy")


async def _not_yet() -> HealthReport:
    return HealthReport("unhealthy", "The host has not started.")


async def _left_out() -> HealthReport:
    return HealthReport("degraded", "The module could not be imported and was left out.")


async def _database(host: Host) -> HealthReport:
    async with host.database.reading() as session:
        found = await (await session.connection()).execute(text(_ONLY_READS[host.database.dialect]))
        only_reads = bool(found.scalar())
    detail = "The database can be read, and not written to: it is a replica, or was made read-only."
    return HealthReport("degraded", detail) if only_reads else HealthReport("healthy")


async def _hosted(host: Host) -> HealthReport:
    states = host.supervisor.report() if host.supervisor else []
    down = [state.name for state in states if state.state == "restarting"]
    data = {state.name: {"state": state.state, "restarts": state.restarts} for state in states}
    troubles = [f"Crashed, and restarting: {', '.join(down)}."] if down else []
    if lasting := [each for each in failures.lasting() if not each.startswith(_CHECK)]:
        troubles.append(f"Failing, and tried again: {', '.join(lasting)}.")
    return HealthReport("degraded" if troubles else "healthy", " ".join(troubles), data)
