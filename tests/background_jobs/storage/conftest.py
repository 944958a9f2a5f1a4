"""The store as it is, and as it is when somebody has subscribed to all ends of jobs."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from background_jobs.support import add_worker
from modhost.database import Database
from modhost_background_jobs.model import Ended
from modhost_background_jobs.storage import JobStore, open_store
from modhost_background_jobs.storage.end_events import EVENT_OF


class AllEnds:
    """Stores nothing, so that what is found is what the store itself has done."""

    states = frozenset(EVENT_OF)

    async def store(self, session: AsyncSession, ended: Collection[UUID], now: datetime) -> None:
        pass


class Published:
    """Ends jobs as a worker does: those that are left are ended together with what follows."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def end(self, ended: Sequence[Ended], now: datetime) -> set[UUID]:
        assert await self._store.end(ended, now) == set()
        return await self._store.end_awaited(ended, now)


@pytest.fixture(params=["plain", pytest.param("published", marks=pytest.mark.exhaustive)])
async def store(request: pytest.FixtureRequest, database: Database) -> Any:
    """A store with the worker w1 registered."""
    is_published = request.param == "published"
    store = open_store(database, events=AllEnds()) if is_published else open_store(database)
    await add_worker(store)
    return Published(store) if is_published else store
