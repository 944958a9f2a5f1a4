"""A process of jobs that lives on has a changed setting within a second."""

from typing import ClassVar

import anyio
import pytest

from administration.settings.shop import MANAGE, Shop, ShopSettings
from hosts import host_with
from modhost import ServiceCollection, Settings, hookimpl
from modhost_background_jobs.contracts import JobExecutionContext, ModuleJob, add_module_job

pytestmark = pytest.mark.anyio


class ReadingJob(ModuleJob[None, int]):
    """Returns what it reads."""

    executor: ClassVar = "process"

    def __init__(self, settings: Settings[ShopSettings]) -> None:
        self._settings = settings

    async def execute(self, context: JobExecutionContext[None]) -> int:
        return self._settings.current.most


class ReadingShop(Shop):
    requires = ("background_jobs",)

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        add_module_job(services, ReadingJob)


async def test_a_job_in_a_process_reads_what_was_changed(database_url: str) -> None:
    consumer = {"worker_mode": "Consumer", "max_concurrency": 1}
    async with host_with(database_url, ReadingShop(), background_jobs=consumer) as jobs:

        async def read() -> object:
            job_id = await jobs.scheduling.enqueue(ReadingJob)
            await jobs.ends(job_id)
            return await jobs.querying.get_result(job_id, int)

        assert await read() == 10
        client = await jobs.host.client(MANAGE)
        answer = await client.put("/api/settings/shop/most", json={"value": 20})
        assert answer.status_code == 200
        with anyio.fail_after(30):
            while await read() != 20:
                await anyio.sleep(0.1)
