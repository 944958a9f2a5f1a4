"""Health: what modules say of themselves, gathered for probes and for people."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import anyio
from pydantic import BaseModel, Field

from modhost.module import HealthReport, Status

logger = logging.getLogger(__name__)

CHECK_SECONDS: Final = 5.0
_RANK: Final[tuple[Status, ...]] = ("healthy", "degraded", "unhealthy")


class PartHealth(BaseModel):
    """How one part of the host is."""

    status: Status
    detail: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class Readiness(BaseModel):
    """How the host is: as its worst part."""

    status: Status
    parts: dict[str, PartHealth]


Check = Callable[[], Awaitable[HealthReport]]


async def readiness(checks: Mapping[str, Check]) -> Readiness:
    """Run all checks at the same time, each bounded, and gather what they say."""
    found: dict[str, HealthReport] = {}

    async def run(name: str, check: Check) -> None:
        found[name] = await _bounded(name, check)

    async with anyio.create_task_group() as group:
        for name, check in checks.items():
            group.start_soon(run, name, check)
    parts = {
        name: PartHealth(
            status=found[name].status, detail=found[name].detail, data=dict(found[name].data)
        )
        for name in checks
    }
    return Readiness(status=worst([part.status for part in parts.values()]), parts=parts)


def worst(statuses: Sequence[Status]) -> Status:
    """Return the worst of some statuses, `healthy` for none."""
    return max(statuses, key=_RANK.index, default="healthy")


async def _bounded(name: str, check: Check) -> HealthReport:
    try:
        with anyio.fail_after(CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return HealthReport("unhealthy", f"The check took longer than {CHECK_SECONDS:g} s.")
    except Exception:
        # What went wrong may hold secrets; it is for the log alone.
        logger.exception("The health check of %s failed.", name)
        return HealthReport("unhealthy", "The check failed; the log says why.")
