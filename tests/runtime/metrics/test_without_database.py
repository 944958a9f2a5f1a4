"""A process answers its scrapers while the database is away, and soon."""

import time

import anyio
import pytest

from background_jobs.postgres_proxy import PostgresProxy
from modhost.runtime.metrics import collection, scrapers
from modhost.testing import running_host
from modhost_background_jobs.module import BackgroundJobsModule
from scraping import VIEW_METRICS, scrape

pytestmark = pytest.mark.anyio


async def test_what_the_process_knows_is_there_while_the_database_is_silent(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "MAX_AGE", 0.0)
    async with PostgresProxy(postgres_url).open() as proxy:
        config = {"host": {"database_url": proxy.url, "shutdown_grace": "1s"}}
        async with running_host([BackgroundJobsModule()], config=config) as host:
            known = await host.client(VIEW_METRICS)
            unknown = await host.client(VIEW_METRICS)
            assert (await scrape(known)).value("modhost_database_up") == 1
            with proxy.silent(), monkeypatch.context() as patience:
                patience.setattr(collection, "TIMEOUT", 0.3)
                patience.setattr(scrapers, "TIMEOUT", 0.3)
                began = time.monotonic()
                found = await scrape(known)
                assert time.monotonic() - began < 8
                assert found.value("modhost_database_up") == 0
                assert found.value("modhost_module_metrics_up", module="background_jobs") == 0
                assert found.value("background_jobs_claims_total") == 0
                assert found.values("background_jobs_workers") == []
                # It is trusted for its metrics alone, and nobody else is.
                assert (await unknown.get("/metrics")).status_code == 503
            # As a worker does by its heartbeats: those that were cut off would be waited for.
            host.host.database.disconnect(anyio.current_time())
            with anyio.fail_after(60):
                while not (await scrape(known)).values("background_jobs_workers", state="alive"):
                    await anyio.sleep(0.1)


async def test_a_token_that_was_revoked_is_not_trusted(sqlite_url: str) -> None:
    async with running_host([], config={"host": {"database_url": sqlite_url}}) as host:
        client = await host.client(VIEW_METRICS)
        await scrape(client)
        async with host.host.database.session() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("UPDATE modhost_tokens SET revoked_at = created_at")
        assert (await client.get("/metrics")).status_code == 401
        async with host.host.database.session() as session:
            connection = await session.connection()
            await connection.exec_driver_sql("ALTER TABLE modhost_tokens RENAME TO gone")
        assert (await client.get("/metrics")).status_code >= 500
