"""A deployment on each kind of database in turn, and a server of its own for a test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from postgres import Postgres
from processes.deployment import Deployment


@pytest.fixture
async def deployment(tmp_path: Path, database_url: str) -> AsyncIterator[Deployment]:
    async with Deployment(tmp_path / "deployment", database_url).producing() as deployment:
        yield deployment


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A server that no other test uses."""
    with Postgres.start() as server:
        yield server


@pytest.fixture
def own_url(own_postgres: Postgres) -> str:
    return own_postgres.create("outage")
