"""The shop of `make demo`, smaller, for a browser."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2

from benchmarks.demo.filling import fill
from benchmarks.demo.hosting import STILL, configured, shop_modules
from benchmarks.demo.shop import Story
from hosts import jobs_of
from modhost import Module
from modhost.testing import running_host
from modhost_background_jobs.contracts import JobFilter, JobState
from modhost_background_jobs.queries.search import JobBrowser, Order, Search
from pages.site import PASSWORD, Site, served_on_a_port

SCALE = 0.02


class Shop(Site):
    """The shop with its address, and what was drawn for it."""

    def __init__(self, served: Site, story: Story, zone: str) -> None:
        super().__init__(served, served.url)
        self.story = story
        self.zone = zone

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone of its visitors."""
        return ZoneInfo(self.zone)

    async def failed_since(self, moment: datetime) -> int:
        """Return how many jobs have failed since a moment, and are failed still."""
        return await self._count(since=moment, states=(JobState.FAILED,))

    async def finished_since(self, moment: datetime) -> int:
        """Return how many jobs have completed or failed since a moment."""
        return await self._count(since=moment, states=(JobState.COMPLETED, JobState.FAILED))

    async def _count(self, *, since: datetime, states: tuple[JobState, ...]) -> int:
        browser = await self.service(JobBrowser)
        found = await browser.count(Search(states=states, order=Order.FINISHED, since=since), 10**6)
        return found.number

    async def retried_by(self, name: str) -> UUID:
        """Return a failed job that a user has retried."""
        await self.add_user(name, "Admin")
        filter_ = JobFilter(state=JobState.FAILED, job_type="shop.ChargeCard", page_size=1)
        (failed,) = (await self.querying.get_jobs(filter_)).items
        async with httpx2.AsyncClient(base_url=self.url, follow_redirects=True) as client:
            await client.post("/login", data={"name": name, "password": PASSWORD})
            headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}
            answer = await client.post(f"/admin/jobs/{failed.id}/retry", headers=headers)
            assert answer.status_code == 200, answer.text
        return failed.id

    async def customer(self) -> str:
        """Return a customer with some jobs, and not too many for a page."""
        filter_ = JobFilter(job_type="shop.ChargeCard", page_size=1)
        (newest,) = (await self.querying.get_jobs(filter_)).items
        data = (await self.detail(newest.id)).data
        assert isinstance(data, dict)
        return str(data["customer"])


@asynccontextmanager
async def shop(
    database_url: str, scale: float = SCALE, modules: Sequence[Module] = ()
) -> AsyncIterator[Shop]:
    """Serve it, with one worker that sends newsletters; the others only look as if they ran."""
    options = {**STILL, "max_concurrency": 4, "queues": ["bulk"], "shutdown_grace": "1s"}
    config = configured(database_url, "Consumer", options)
    name, zone = late_morning(datetime.now(UTC))
    async with running_host([*shop_modules(), *modules], config=config) as host:
        async with host.scope() as scope:
            story = await fill(scope, datetime.now(UTC), scale=scale, zone=zone)
        async with served_on_a_port(await jobs_of(host)) as served:
            yield Shop(served, story, name)


def late_morning(now: datetime) -> tuple[str, tzinfo]:
    """Return a time zone in which it is some time after ten: last night was on the same day."""
    ahead = (10 - now.hour + 11) % 24 - 11
    # The names have the sign of what is to be added for UTC.
    # Browsers call the one without a difference by its other name.
    name = f"Etc/GMT{-ahead:+d}" if ahead else "UTC"
    return name, timezone(timedelta(hours=ahead))
