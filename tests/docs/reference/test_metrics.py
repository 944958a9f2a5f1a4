"""The page about metrics lists what the installed modules declare, and its example works."""

import sys
from types import ModuleType
from typing import Any

import pytest

from docs.generated.metrics_reference import DECLARED
from docs.pages import blocks, page
from modhost.testing import RunningHost, running_host
from scraping import VIEW_METRICS, scrape

pytestmark = pytest.mark.anyio


async def test_every_module_with_metrics_is_on_the_page(host: RunningHost) -> None:
    declared = {each.module.name: each.module.metrics for each in host.host.modules}
    listed = {name: tuple(metrics) for name, metrics in DECLARED.items() if name != "modhost"}
    assert {name: metrics for name, metrics in declared.items() if metrics} == listed


async def test_the_example_works(monkeypatch: pytest.MonkeyPatch) -> None:
    example = ModuleType("metrics_example")
    monkeypatch.setitem(sys.modules, "metrics_example", example)
    code: Any = vars(example)
    exec("\n".join(blocks(page("metrics.md"), "python")), code)  # noqa: S102
    async with running_host([code["MailModule"]()]) as host:
        async with host.scope() as scope:
            mailer = await scope.get(code["Mailer"])
            await mailer.send("invoice", 0.2)
            await mailer.send("invoice", 0.4)
        found = await scrape(await host.client(VIEW_METRICS))
    found.fits(code["MailModule"].metrics)
    assert found.value("mail_sent_total", kind="invoice") == 2
    assert found.value("mail_server_seconds_count") == 2
