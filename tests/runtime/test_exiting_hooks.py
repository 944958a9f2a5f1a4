"""A hook that would end the process fails like one that raises."""

import sys
from typing import Any

import pytest

from modhost import Module, hookimpl
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.hooks import ModuleHooks
from modhost.runtime.assembly import build_host
from modhost.testing import running_host

AT_ASSEMBLY = (
    *("configure_services", "configure_permissions", "hosted_services"),
    *("map_endpoints", "map_pages", "configure_menu", "configure_slots", "configure_middleware"),
    "register_commands",
)


def exiting(hook: str) -> Module:
    def leave(self: Module) -> None:
        sys.exit(7)

    async def leave_later(self: Module) -> None:
        sys.exit(7)

    is_async = hook in ("on_start", "check_health")
    leaving: Any = hookimpl(leave_later if is_async else leave)
    module: Module = type("Exiting", (Module,), {"name": "exiting", hook: leaving})()
    return module


@pytest.mark.parametrize("hook", AT_ASSEMBLY)
def test_a_hook_that_exits_while_the_host_is_assembled_is_a_finding(hook: str) -> None:
    assert hasattr(ModuleHooks, hook)
    with pytest.raises(StartupError) as refused:
        build_host(Configuration(), "web", modules=[exiting(hook)])
    (finding,) = refused.value.findings
    assert finding.module == "exiting"
    assert finding.detail.startswith(f"{hook} raised RuntimeError: it called sys.exit(7), ")


@pytest.mark.anyio
async def test_a_start_that_exits_is_a_finding() -> None:
    with pytest.raises(StartupError) as refused:
        async with running_host([exiting("on_start")]):
            pass
    assert "on_start raised RuntimeError: it called sys.exit(7), " in str(refused.value)


@pytest.mark.anyio
async def test_a_health_check_that_exits_is_unhealthy() -> None:
    async with running_host([exiting("check_health")]) as host:
        client = await host.client()
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert "exiting" in answer.text
