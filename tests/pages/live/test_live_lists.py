"""Lists that stay up to date: the schedules, and how many jobs are newer than those shown."""

import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from modhost.identity import TokenService
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.model.statistics import MinuteCounts
from modhost_background_jobs.pages.live.feed import LiveFeed, Viewer
from modhost_background_jobs.pages.live.recurring import ScheduleTopics
from modhost_background_jobs.pages.live.topic import Topic
from modhost_background_jobs.pages.live.topics import Memory, Topics
from modhost_background_jobs.pages.recurring.list import KEY_DIGITS
from modhost_background_jobs.storage.statistics import StatisticsStore
from pages.demo import ImportCustomersJob, Steps
from pages.live.streams import counted, events
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.mark.parametrize("page", ["list", "details"])
async def test_the_schedules_are_live(served: Site, page: str) -> None:
    recurring = await served.scheduling.add_recurring(
        ImportCustomersJob, name="Nightly", cron_expression="0 3 * * *", data=Steps()
    )
    (await served.service(ScheduleTopics)).interval = 0.0
    is_list, has_toggled = page == "list", False
    query = "watch=recurring&schedules=q%3Dnight" if is_list else f"watch=schedule&id={recurring}"
    async with events(served, query) as stream:
        with anyio.fail_after(30):
            async for _, _, data in stream:
                reported = data["live_schedules" if is_list else "live_schedule"]
                assert "Monthly Report" not in reported
                if "Disabled" in reported:
                    break
                if not has_toggled:
                    await served.scheduling.toggle_recurring(recurring)
                    has_toggled = True
    enable = (
        f"name=enable value={str(recurring)[-KEY_DIGITS:]}" if is_list else "while it is disabled"
    )
    assert enable in reported


async def test_viewers_of_a_list_are_reported_its_newest_jobs(
    served: Site, visitor: Visitor
) -> None:
    """Each of them fetched the whole list every ten seconds."""
    (await served.service(Topics)).list_interval = 0.0
    ids = [await served.scheduling.schedule(ImportCustomersJob, LATER) for _ in range(2)]
    page = await visitor.get("/admin/jobs/list?state=Pending")
    assert 'data-search="state=Pending"' in page.source
    query = f"watch=row&id={ids[0]}&newest=true&search=state%3DPending"
    async with events(served, query) as stream:
        with anyio.fail_after(30):
            async for _, _, data in stream:
                if "live_newest" in data:
                    newest = re.findall(r"[0-9a-f-]{36}", data["live_newest"])
                    if len(newest) == 3:
                        break
                    assert newest == [str(id_) for id_ in reversed(ids)]
                    ids.append(await served.scheduling.schedule(ImportCustomersJob, LATER))
    assert newest == [str(id_) for id_ in reversed(ids)]
    path = "/admin/jobs/events?watch=row&poll=true&newest=true&search="
    # Of the whole list, which is searched by nothing.
    assert "live_newest" in (await visitor.client.get(path)).json()["fragments"]
    answer = await visitor.client.get(f"{path}state%3Dno")
    assert answer.status_code == 422


async def test_a_hundred_viewers_of_a_list_cost_what_one_does(database_url: str) -> None:
    async with site(database_url, mode="Producer") as served, counted(served) as (feed, sent):
        await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 3)
        topics = [Topic("newest", search="state=Pending"), Topic("recurring", may_manage=True)]
        with ExitStack() as watching:
            for _ in range(100):
                watching.enter_context(feed.watch(Viewer(frozenset(topics), None, -1)))
            sent.clear()
            await feed.poll()
            # The newest jobs, by their ids; the schedules, and their runs.
            assert len(sent) == 4


async def test_topics_share_what_they_read_and_read_nothing_else(database_url: str) -> None:
    """Each of the workers read those that left by itself, and a schedule what was not live."""
    async with site(database_url, mode="Producer") as served, counted(served) as (feed, sent):
        recurring = await served.scheduling.add_recurring(
            ImportCustomersJob, name="Nightly", cron_expression="@daily"
        )
        workers = [Topic("workers", may_manage=each) for each in (True, False)]
        dashboards = [Topic("dashboard", span=each) for each in ("hour", "day")]
        with feed.watch(Viewer(frozenset([*workers, *dashboards]), None, -1)):
            sent.clear()
            await feed.poll()
        assert sum("departed" in each for each in sent) == 2
        with feed.watch(Viewer(frozenset([Topic("schedule", job_id=recurring)]), None, -1)):
            sent.clear()
            await feed.poll()
        assert len(sent) == 2, sent


async def test_charts_are_sent_now_and_then_while_numbers_change(database_url: str) -> None:
    """Every job that ended sent 40 kB of charts to everybody, compressed to twice the budget."""
    async with site(database_url, mode="Producer") as served:
        topics, memory = await served.service(Topics), Memory()
        topics.charts_interval = 600
        dashboard = Topic("dashboard")
        before = (await topics.render({dashboard}, memory))[dashboard]
        await served.scheduling.enqueue(ImportCustomersJob, Steps())
        ended = MinuteCounts()
        ended.count(JobState.COMPLETED, [1.0], [1.0])
        minute = datetime.now(UTC).replace(second=0, microsecond=0)
        await (await served.service(StatisticsStore)).save("worker", [(minute, ended)])
        soon = (await topics.render({dashboard}, memory))[dashboard]
        later = (await topics.render({dashboard}, Memory()))[dashboard]
        for name in ("live_history", "live_figures"):
            assert before[name] == soon[name] != later[name]
        assert before["live_tiles"] != soon["live_tiles"] == later["live_tiles"]


async def test_a_stream_whose_viewer_may_no_longer_watch_says_bye(
    served: Site,
) -> None:
    """It ended without a word, and the browser found out by itself."""
    feed = await served.service(LiveFeed)
    feed.stream_seconds = 0.3
    async with events(served, "watch=workers") as stream:
        assert "bye" not in [name async for name, _, _ in stream]
    names: list[str] = []
    # Long enough to take the permission away meanwhile, also where the machine stutters.
    for feed.stream_seconds in (1.0, 5.0, 25.0):
        ends_at = anyio.current_time() + feed.stream_seconds
        async with events(served, "watch=workers") as stream, served.host.scope() as scope:
            tokens = await scope.get(TokenService)
            for token in await tokens.list():
                await tokens.revoke(token.id)
            was_in_time = anyio.current_time() < ends_at
            with anyio.fail_after(40):
                names = [name async for name, _, _ in stream]
        if was_in_time:
            break
    assert names[-1] == "bye"
