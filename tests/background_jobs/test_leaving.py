"""A worker that stops leaves no trace among those alive."""

import pytest

from background_jobs.hosts import jobs_host
from modhost.database import Database
from modhost_background_jobs.queue.open_store import open_store

pytestmark = pytest.mark.anyio


async def test_a_heartbeat_does_not_register_a_worker_again_that_has_left(
    database_url: str,
) -> None:
    """A beat between the farewell and the end of the heart once found its row gone."""
    for _ in range(5):
        async with jobs_host(database_url, heartbeat_interval="5ms"):
            pass
    async with Database(database_url).open() as database:
        assert await open_store(database).heartbeats() == []
