"""The code of the page about events works as it is shown."""

import sys
from types import ModuleType
from typing import Any

import anyio
import pytest

from docs.pages import blocks, page
from modhost.database import Database
from modhost.events import Events
from modhost.testing import running_host
from modhost_background_jobs.contracts import BackgroundJobsContracts, JobFilter
from modhost_background_jobs.module import BackgroundJobsModule

WANTED = ("Shop", "Search", "Mail", "Alerts")


@pytest.mark.anyio
async def test_the_example_works(monkeypatch: pytest.MonkeyPatch) -> None:
    example = ModuleType("events_example")
    monkeypatch.setitem(sys.modules, "events_example", example)
    code: Any = vars(example)
    exec("\n".join(blocks(page("modules/events.md"), "python")), code)  # noqa: S102
    modules = [BackgroundJobsModule(), *(code[f"{each}Module"]() for each in WANTED)]
    async with running_host(modules) as host:
        async with host.scope() as scope:
            orders = code["Orders"](await scope.get(Database), await scope.get(Events))
            index = await scope.get(code["SearchIndex"])
            order_id = await orders.place()
        with anyio.fail_after(10):
            while index.orders != [order_id]:
                await anyio.sleep(0.01)
        async with host.scope() as scope:
            jobs = await scope.get(BackgroundJobsContracts)
            (job,) = (await jobs.get_jobs(JobFilter())).items
    assert job.job_type == "mail.SendConfirmation"
