"""The code of the page about settings works as it is shown."""

import sys
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from docs.pages import blocks, page
from modhost import Module, ServiceCollection, hookimpl
from modhost.testing import running_host


@pytest.mark.anyio
async def test_the_example_works(monkeypatch: pytest.MonkeyPatch) -> None:
    example = ModuleType("settings_example")
    monkeypatch.setitem(sys.modules, "settings_example", example)
    code: Any = vars(example)
    exec("\n".join(blocks(page("modules/settings.md"), "python")), code)  # noqa: S102
    orders = code["Orders"]

    class Desk(Module):
        name = "desk"
        requires = ("shop",)

        @hookimpl
        def configure_services(self, services: ServiceCollection) -> None:
            services.add_singleton(orders)

    async with running_host([code["ShopModule"](), Desk()]) as host, host.scope() as scope:
        desk = await scope.get(orders)
        assert desk.settings.current.reminder == timedelta(days=3)
        desk.check(10)
        client = await host.client("Host.ManageSettings")
        await client.put("/api/settings/shop/max_items", json={"value": 9})
        with pytest.raises(ValueError, match="not taken"):
            desk.check(10)
