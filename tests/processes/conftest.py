"""A deployment on each kind of database in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from processes.deployment import Deployment


@pytest.fixture
async def deployment(tmp_path: Path, database_url: str) -> AsyncIterator[Deployment]:
    async with Deployment(tmp_path / "deployment", database_url).producing() as deployment:
        yield deployment
