"""Pages that cannot follow any more are notified within seconds, and again when they can."""

from collections.abc import AsyncIterator

import anyio
import asyncpg
import pytest
from sqlalchemy import text

from modhost.database import Database
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.pages.live.feed import LiveFeed, Viewer
from modhost_background_jobs.pages.live.topic import Topic
from pages.demo import ImportCustomersJob, Steps
from pages.live.streams import Event, counted, events
from pages.site import Site, site

pytestmark = pytest.mark.anyio


async def next_of(stream: AsyncIterator[Event], kind: str) -> None:
    with anyio.fail_after(20):
        async for found, _, _ in stream:
            if found == kind:
                return


async def rename(served: Site, name: str, to: str) -> None:
    database = await served.service(Database)
    async with database.session() as session:
        await (await session.connection()).execute(text(f"ALTER TABLE {name} RENAME TO {to}"))


async def test_viewers_are_notified_of_a_database_that_fails_and_when_it_works_again(
    database_url: str,
) -> None:
    """The page called itself live until its stream ended, 15 seconds later."""
    is_sqlite = "sqlite" in database_url
    schema, prefix = ("", "background_jobs_") if is_sqlite else ("background_jobs.", "")
    async with site(database_url, mode="Producer") as served:
        async with events(served, "watch=dashboard") as stream:
            await next_of(stream, "fragments")
            await rename(served, f"{schema}{prefix}workers", "gone")
            await next_of(stream, "behind")
            await rename(served, f"{schema}gone", f"{prefix}workers")
            await next_of(stream, "fragments")


async def test_viewers_are_notified_of_a_database_that_does_not_answer(postgres_url: str) -> None:
    async with site(postgres_url, mode="Producer") as served:
        (await served.service(LiveFeed)).late_seconds = 0.2
        async with events(served, "watch=dashboard") as stream:
            await next_of(stream, "fragments")
            other = await asyncpg.connect(postgres_url)
            try:
                async with other.transaction():
                    await other.execute("LOCK TABLE background_jobs.workers")
                    await next_of(stream, "behind")
            finally:
                await other.close()
            await next_of(stream, "fragments")


async def test_a_browser_that_takes_nothing_is_kept_some_lines_and_sent_the_rest_later(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modhost_background_jobs.pages.live.feed.MAX_HELD_LINES", 10)
    seen: list[str] = []
    async with site(sqlite_url) as served, counted(served) as (feed, _):
        job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=20))
        await served.reaches(job_id, JobState.COMPLETED)
        viewer = Viewer(frozenset([Topic("job", job_id=job_id)]), job_id, -1)
        feed.max_lines = 5
        with feed.watch(viewer):
            for _ in range(2):
                for _ in range(4):
                    await feed.poll()
                taken = [line.message for line in viewer.take()[1]]
                assert len(taken) == 10
                seen += taken
    assert seen == [f"Step {number} of 20" for number in range(1, 21)]
