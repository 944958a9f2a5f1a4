"""The server of the tests is set as `tests/postgres.py` says."""

import asyncpg
import pytest

from postgres import SETTINGS, Postgres

pytestmark = pytest.mark.anyio


async def test_all_settings_are_in_effect(postgres: Postgres) -> None:
    """The number of connections, which needs a start of the server, was never set."""
    if postgres.server is None:
        pytest.skip("It is not one of our own.")
    connection = await asyncpg.connect(postgres.url)
    try:
        found = {name: await connection.fetchval(f"SHOW {name}") for name in SETTINGS}
    finally:
        await connection.close()
    assert found == SETTINGS
