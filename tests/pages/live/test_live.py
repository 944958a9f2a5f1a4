"""What the pages are sent as things change."""

import zlib
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
import httpx2
import pytest

from modhost.testing import MovableClock
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.pages.live.feed import LiveFeed, Viewer
from modhost_background_jobs.pages.live.fragments import Fragments
from modhost_background_jobs.pages.live.topic import Topic
from pages.demo import ImportCustomersJob, Steps
from pages.live.streams import counted, events
from pages.site import Site, site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio


async def test_progress_log_and_result_of_a_job_are_sent(served: Site) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=8, pause=0.3))
    messages: list[str] = []
    states = []
    results = []
    async with events(served, f"watch=job&id={job_id}") as stream:
        with anyio.fail_after(30):
            async for kind, id_, data in stream:
                if kind == "log":
                    messages += [line["message"] for line in data]
                    assert id_ == str(data[-1]["line"])
                else:
                    states.append(data.get("live_state", ""))
                    results.append(data.get("live_result", ""))
                if any("badge-good" in state for state in states) and len(messages) == 8:
                    break
    assert messages == [f"Step {number} of 8" for number in range(1, 9)]
    assert any("badge-info" in state and "Step" in state for state in states)
    assert "&#34;imported&#34;: 8" in results[-1]
    assert not any(results[:-1])


async def test_a_lost_stream_continues_after_the_last_line(served: Site) -> None:
    job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=5))
    await served.reaches(job_id, JobState.COMPLETED)
    async with events(served, f"watch=job&id={job_id}") as stream:
        with anyio.fail_after(20):
            async for kind, _, data in stream:
                if kind == "log":
                    lines = data
                    break
    assert len(lines) == 5
    seen = str(lines[2]["line"])
    async with events(served, f"watch=job&id={job_id}", last_event_id=seen) as stream:
        with anyio.fail_after(20):
            async for kind, _, data in stream:
                if kind == "log":
                    assert [line["message"] for line in data] == ["Step 4 of 5", "Step 5 of 5"]
                    break


@pytest.mark.parametrize("digits", [19, 20, 5000])
async def test_a_line_that_no_log_can_have_is_not_a_trouble(sqlite_url: str, digits: int) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        job_id = await served.scheduling.enqueue(ImportCustomersJob, Steps())
        query = f"watch=job&id={job_id}"
        async with events(served, query, last_event_id="9" * digits) as stream:
            with anyio.fail_after(20):
                async for _, _, data in stream:
                    assert "Pending" in data["live_state"]
                    break
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        page = await visitor.get(f"/admin/jobs/events?{query}&poll=true&line={'9' * 20}", 422)
        assert "line" in page.text


async def test_those_who_poll_get_the_same(database_url: str) -> None:
    # No minute begins between two polls.
    clock = MovableClock()
    async with site(database_url, clock=clock) as served:
        visitor = await Visitor.of(served, "BackgroundJobs.*")
        job_id = await served.scheduling.schedule(
            ImportCustomersJob, clock.now() + timedelta(days=1), Steps()
        )
        for query in (f"watch=job&id={job_id}", "watch=dashboard", f"watch=row&id={job_id}"):
            answer = await visitor.client.get(f"/admin/jobs/events?{query}&poll=true")
            assert answer.status_code == 200
            assert "fragments" in answer.json()
            again = await visitor.client.get(f"/admin/jobs/events?{query}&poll=true")
            assert again.json() == answer.json(), "a fragment changes although nothing has"
        assert "Pending" in answer.json()["fragments"][f"live_state-{job_id}"]


async def test_a_producer_shows_the_progress_of_jobs_elsewhere(database_url: str) -> None:
    async with site(database_url, mode="Producer") as producer, site(database_url):
        job_id = await producer.scheduling.enqueue(ImportCustomersJob, Steps(steps=4, pause=0.2))
        async with events(producer, f"watch=row&id={job_id}") as stream:
            with anyio.fail_after(30):
                async for _, _, data in stream:
                    if "Completed" in data.get(f"live_state-{job_id}", ""):
                        break


async def test_a_hundred_viewers_of_a_hundred_jobs_cost_what_one_does(database_url: str) -> None:
    async with site(database_url, mode="Producer") as served, counted(served) as (feed, sent):
        ids = await served.scheduling.enqueue_many(ImportCustomersJob, [Steps()] * 100)
        pages = frozenset([Topic("dashboard"), Topic("workers")])

        async def cost(viewers: int) -> int:
            with ExitStack() as watching:
                for id_ in ids[:viewers]:
                    topics = pages | {Topic("job", job_id=id_)}
                    watching.enter_context(feed.watch(Viewer(topics, id_, -1)))
                sent.clear()
                await feed.poll()
                return len(sent)

        # The versions of the application are read once in a while.
        assert await cost(1) == 17
        assert await cost(100) == 16
        # Of what is the same no attempts are read.
        assert await cost(100) == 15


async def test_what_is_the_same_is_not_drawn_again(
    served: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = await served.scheduling.schedule(
        ImportCustomersJob, datetime.now(UTC) + timedelta(days=1)
    )
    drawn: list[str] = []
    render = Fragments.render

    def note(fragments: Fragments, template: str, *args: Any) -> dict[str, str]:
        drawn.append(template)
        return render(fragments, template, *args)

    monkeypatch.setattr(Fragments, "render", note)
    async with counted(served) as (feed, _):
        with feed.watch(Viewer(frozenset([Topic("job", job_id=job_id)]), job_id, -1)):
            await feed.poll()
            await feed.poll()
            assert len(drawn) == 1
            await served.scheduling.cancel(job_id)
            await feed.poll()
            assert len(drawn) == 2


async def test_a_viewer_far_behind_keeps_no_other_one_waiting(
    served: Site,
) -> None:
    """All viewers shared one limit, in the order of the jobs: one with a long log took it all."""
    long = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=20))
    short = await served.scheduling.enqueue(ImportCustomersJob, Steps(steps=3))
    for job_id in (long, short):
        await served.reaches(job_id, JobState.COMPLETED)

    def viewer(job_id: UUID, line: int) -> Viewer:
        return Viewer(frozenset([Topic("job", job_id=job_id)]), job_id, line)

    async with counted(served) as (feed, _):
        feed.max_lines = 5
        behind = viewer(long, -1)
        with feed.watch(behind):
            await feed.poll()
            await feed.poll()
        far = behind.take()[1][-1].line
        viewers = [viewer(long, -1), viewer(long, far), viewer(short, -1)]
        with ExitStack() as watching:
            for each in viewers:
                watching.enter_context(feed.watch(each))
            await feed.poll()
        messages = [[line.message for line in each.take()[1]] for each in viewers]
        assert messages[0] == [f"Step {number} of 20" for number in range(1, 6)]
        assert messages[1] == [f"Step {number} of 20" for number in range(11, 16)]
        assert messages[2] == ["Step 1 of 3", "Step 2 of 3", "Step 3 of 3"]


async def test_a_stream_ends_when_the_host_stops(sqlite_url: str) -> None:
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            async with site(sqlite_url) as served:
                opened = anyio.Event()
                ended = anyio.Event()

                async def watch() -> None:
                    async with events(served, "watch=dashboard") as stream:
                        async for _ in stream:
                            opened.set()
                    ended.set()

                group.start_soon(watch)
                await opened.wait()
                served.host.host.shutdown.begin()
                await ended.wait()


async def test_a_stream_ends_soon_so_that_its_viewer_shows_again_that_it_may(
    served: Site,
) -> None:
    """It continued for two minutes after its viewer was logged out."""
    feed = await served.service(LiveFeed)
    assert feed.stream_seconds <= 15
    feed.stream_seconds = 2.0
    async with events(served, "watch=workers") as stream:
        with anyio.fail_after(20):
            # On a slow machine it ends before there is anything to send.
            assert {name async for name, _, _ in stream} <= {"fragments"}


async def test_a_stream_is_compressed_unless_its_reader_cannot_read_that(sqlite_url: str) -> None:
    async with site(sqlite_url, mode="Producer") as served:
        headers = await served.host.headers("BackgroundJobs.*")
        received: dict[str, bytes] = {}
        async with httpx2.AsyncClient(base_url=served.url, headers=headers, timeout=30) as client:
            for encoding in ("identity", "gzip"):
                accepts = {"Accept-Encoding": encoding}
                path = "/admin/jobs/events?watch=dashboard"
                async with client.stream("GET", path, headers=accepts) as answer:
                    text, raw = b"", b""
                    decoder = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
                    async for chunk in answer.aiter_raw():
                        raw += chunk
                        text += decoder.decompress(chunk) if decoder else chunk
                        if b"event: fragments" in text and text.endswith(b"\n\n"):
                            break
                    received[encoding] = raw
        assert b"live_tiles" in received["identity"]
        assert len(received["gzip"]) < len(received["identity"]) / 2
