"""What operators ask at three in the morning: each answer is three clicks away, or less."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio
import pytest
from playwright.async_api import Browser, Error, expect

from benchmarks.demo.shop import DEPLOYED, VERSIONS
from modhost.web.rendering.wording import grouped
from modhost_background_jobs.pages.many import MAX_UNTYPED
from pages.browser.chromium import opened
from pages.browser.clicks import Clicks
from pages.browser.shop import SCALE, Shop, shop
from sweeps import EXHAUSTIVE, ONE_DATABASE

# A database is filled, and dozens of pages are opened.
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(400)]

FULL: Final = [EXHAUSTIVE, pytest.mark.timeout(1_800)]
"""To fill two hundred thousand jobs takes minutes."""


async def why_did_charge_card_fail_at_three(clicks: Clicks, shop: Shop) -> None:
    await clicks.link("Failures by type")
    await clicks.link(re.compile("ChargeCard"))
    group = clicks.row("refused the connection")
    await clicks.reads("ConnectionError", "pay.example.com", within=group)
    await clicks.reads("payments/gateway.py", "charge", within=group)
    for moment in await group.locator("time").all():
        failed_at = datetime.fromisoformat(await moment.get_attribute("datetime") or "")
        assert failed_at.astimezone(shop.zone_info).hour == 3
    await clicks.link("The last one", within=group)
    await clicks.reads("Traceback", "connection = await self._connect()")


async def what_did_the_jobs_of_a_customer_do(clicks: Clicks, shop: Shop) -> None:
    customer = await shop.customer()
    await clicks.link("All jobs")
    await clicks.send("Id, tag", customer)
    rows = clicks.page.locator("tr[data-job]")
    await expect(rows).not_to_have_count(0)
    for row in await rows.all():
        await clicks.reads(f"{customer}, order", within=row)


async def which_type_is_behind_and_until_when(clicks: Clicks, shop: Shop) -> None:
    await clicks.link("Types")
    row = clicks.row("SendNewsletter")
    await clicks.reads("due", "4 at a time", within=row)
    # Of the jobs that have ended within the last minute, once there are some.
    await expect(row.get_by_text(re.compile("in about"))).to_be_visible()
    await clicks.reads(re.compile(r"in about \d+"), within=row)


async def did_the_deployment_slow_a_type_down(clicks: Clicks, shop: Shop) -> None:
    await clicks.link("Types")
    await clicks.link(re.compile("GenerateInvoice"))
    versions = clicks.page.get_by_role("region", name="Versions of the application")
    await expect(versions.locator("tbody tr")).to_have_count(2)
    rows = await versions.locator("tbody tr").all_text_contents()
    assert [re.findall(r"2026\.\d+\.\d+", row)[0] for row in rows] == [VERSIONS[1], VERSIONS[0]]
    run_times = [float(re.findall(r"([\d.]+) s /", row)[-1]) for row in rows]
    assert run_times[0] > 2 * run_times[1]
    hours = round(DEPLOYED.total_seconds() / 3600)
    await clicks.reads(f"New version: {VERSIONS[1]} {hours} h ago")


async def run_a_waiting_job_now(clicks: Clicks, shop: Shop) -> None:
    await clicks.link(re.compile("Pending"))
    await clicks.link(re.compile("SendShippingNotice"), within=clicks.row(re.compile("due in")))
    await clicks.button("Run now")
    await clicks.reads("due now")


async def retry_what_failed_since_midnight(clicks: Clicks, shop: Shop) -> None:
    asking = clicks.page.locator("form[action='/admin/jobs/many']")
    await expect(asking.locator("[name=zone]")).to_have_value(shop.zone)
    await clicks.button("Retry since midnight…")
    midnight = datetime.now(shop.zone_info).replace(hour=0, minute=0, second=0, microsecond=0)
    failed = await shop.failed_since(midnight)
    await clicks.reads(f"Retry {grouped(failed)} jobs?")
    if failed > MAX_UNTYPED:
        await clicks.page.get_by_label("to confirm").fill(str(failed))
    await clicks.button(f"Retry {grouped(failed)} jobs")
    await clicks.reads("ChangeManyJobs")
    # That background job does it, in this host.
    with anyio.fail_after(300):
        while await shop.failed_since(midnight):
            await anyio.sleep(0.1)


async def what_is_the_throughput_of_a_week(clicks: Clicks, shop: Shop) -> None:
    await clicks.link("Last week")
    await clicks.reads("The last week", "Finished jobs per 3 hours")
    await clicks.click(clicks.page.get_by_text("The figures as a table"))
    rows = clicks.page.get_by_role("region", name="Figures").locator("tbody tr")
    counted = 0
    for row in await rows.all():
        completed, failed = (await row.locator("td.number").all_text_contents())[:2]
        # Thousands are grouped.
        counted += sum(int(re.sub(r"\D", "", number)) for number in (completed, failed))
    assert counted >= await shop.finished_since(datetime.now(UTC) - timedelta(days=6))
    await clicks.reads(re.compile(r"\d"), within=rows.first)


async def move_the_time_of_a_waiting_job(clicks: Clicks, shop: Shop) -> None:
    await clicks.link(re.compile("Pending"))
    await clicks.link(re.compile("SendShippingNotice"), within=clicks.row(re.compile("due in")))
    await clicks.page.get_by_label(f"Due at ({shop.zone})").fill("2030-01-02T03:04")
    await clicks.button("Reschedule")
    due = clicks.page.locator("time[datetime^='2030-01-0']").first
    await expect(due).to_be_visible()
    moved = datetime.fromisoformat(await due.get_attribute("datetime") or "")
    assert f"{moved.astimezone(shop.zone_info):%Y-%m-%d %H:%M}" == "2030-01-02 03:04"
    await clicks.reads("due")


async def which_worker_died(clicks: Clicks, shop: Shop) -> None:
    await clicks.link("Workers", within=clicks.page.get_by_role("main"))
    row = clicks.row(shop.story.workers[-1])
    await clicks.reads(re.compile("died", re.IGNORECASE), within=row)


async def who_retried_this_job(clicks: Clicks, shop: Shop) -> None:
    job_id = await shop.retried_by("vera")
    await clicks.send("Id, tag", str(job_id))
    await clicks.link(
        re.compile("ChargeCard"), within=clicks.page.locator(f"tr[data-job='{job_id}']")
    )
    await clicks.reads(re.compile("Retried.{0,80}vera", re.DOTALL))


async def which_cluster_is_this(clicks: Clicks, shop: Shop) -> None:
    await expect(clicks.page).to_have_title(re.compile("Harbour Shop"))
    await clicks.reads("Harbour Shop", "demo", within=clicks.page.get_by_role("banner"))


QUESTIONS: Final[tuple[Callable[[Clicks, Shop], Awaitable[None]], ...]] = (
    why_did_charge_card_fail_at_three,
    what_did_the_jobs_of_a_customer_do,
    which_type_is_behind_and_until_when,
    did_the_deployment_slow_a_type_down,
    retry_what_failed_since_midnight,
    what_is_the_throughput_of_a_week,
    run_a_waiting_job_now,
    move_the_time_of_a_waiting_job,
    which_worker_died,
    who_retried_this_job,
    which_cluster_is_this,
)


@ONE_DATABASE
@pytest.mark.parametrize("scale", [SCALE, pytest.param(1.0, marks=FULL)])
async def test_every_question_is_answered_within_three_clicks(
    browser: Browser, database_url: str, scale: float
) -> None:
    """All of them by one shop, since to fill it takes longer than to ask."""
    unanswered = []
    async with shop(database_url, scale) as served:
        page = await opened(browser, served, zone=served.zone)
        for question in QUESTIONS:
            clicks = Clicks(page)
            await clicks.begin()
            try:
                await question(clicks, served)
            except (AssertionError, Error) as error:
                unanswered.append(f"{question.__name__}, at {page.url}: {error}")
    assert not unanswered, "\n\n".join(unanswered)
