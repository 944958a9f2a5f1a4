"""A client whose machine vanishes in a transaction keeps what it has locked for seconds only."""

import anyio
import pytest
from sqlalchemy import text

from background_jobs.postgres_proxy import PostgresProxy
from modhost.database import Database
from modhost.database.postgres.connector import ABANDONED_SECONDS

pytestmark = pytest.mark.anyio

SET_BY_CONNECTIONS = [
    "idle_in_transaction_session_timeout",
    "tcp_keepalives_count",
    "tcp_keepalives_idle",
    "tcp_keepalives_interval",
    "tcp_user_timeout",
]
ASKED = """
SELECT name FROM pg_settings WHERE source = 'session' AND name ~ '^(idle|tcp)' ORDER BY name
"""
LOCK = "SELECT n FROM things FOR UPDATE"


async def test_every_connection_has_limits_for_a_client_that_vanishes(
    empty_postgres_url: str,
) -> None:
    async with Database(empty_postgres_url).open() as database:
        async with database.postgres.acquire() as pooled:
            assert [row[0] for row in await pooled.fetch(ASKED)] == SET_BY_CONNECTIONS
        dedicated = await database.postgres.connect()
        assert [row[0] for row in await dedicated.fetch(ASKED)] == SET_BY_CONNECTIONS
        await dedicated.close()
        for opened in (database.session, database.reading):
            async with opened() as session:
                found = await (await session.connection()).execute(text(ASKED))
                assert list(found.scalars()) == SET_BY_CONNECTIONS


async def test_what_a_vanished_machine_had_locked_becomes_free(empty_postgres_url: str) -> None:
    """The server would notice after 2 h 11 min; until then every sweep waited for such a lock."""
    async with (
        Database(empty_postgres_url).open() as database,
        PostgresProxy(empty_postgres_url).open() as proxy,
    ):
        postgres = database.postgres
        await postgres.execute("CREATE TABLE things (n INTEGER)")
        await postgres.execute("INSERT INTO things VALUES (1)")
        vanishing = await Database(proxy.url).postgres.connect()
        shown = "SHOW idle_in_transaction_session_timeout"
        assert await vanishing.fetchval(shown) == f"{ABANDONED_SECONDS}s" == "10s"
        await vanishing.execute("BEGIN")
        await vanishing.execute(LOCK)
        proxy.cut()
        with anyio.fail_after(60):
            while not await postgres.fetch(f"{LOCK} SKIP LOCKED"):
                await anyio.sleep(0.1)
        vanishing.terminate()
