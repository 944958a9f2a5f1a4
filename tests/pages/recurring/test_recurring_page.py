"""The page of one recurring job: its next times, its runs with their reasons, who changed it."""

import re

import pytest

from modhost_background_jobs.contracts import CatchUpPolicy, JobState, OverlapPolicy
from pages.demo import ImportCustomersJob, Steps
from pages.recurring.filled import add_runs
from pages.site import Site
from pages.visitor import Visitor

pytestmark = pytest.mark.anyio

PATH = "/admin/jobs/recurring"


async def test_it_shows_all_that_is_known_of_a_schedule(served: Site, visitor: Visitor) -> None:
    id_ = await served.scheduling.add_recurring(
        ImportCustomersJob,
        name="Nightly",
        cron_expression="30 3 * * 1-5",
        time_zone="Europe/Berlin",
        data=Steps(note="at night"),
        overlap=OverlapPolicy.QUEUE,
        catch_up=CatchUpPolicy.NONE,
    )
    missed = "missed: no consumer could fire it at 2026-11-29 10:00 UTC, 1 due time"
    ends = [JobState.COMPLETED] * 60
    runs = await add_runs(served, id_, [*ends, JobState.FAILED])
    await add_runs(served, id_, [JobState.SKIPPED], missed)
    page = await visitor.get(f"{PATH}/{id_}")
    assert "At 03:30, Monday to Friday" in page.text
    upcoming = re.findall(r"\w{3} \d+ \w{3} \d{4} 03:30 CES?T", page.text)
    assert len(upcoming) == 5
    assert "A run waits for the earlier ones" in page.text
    assert "What no worker could fire is not caught up" in page.text
    assert '"note": "at night"' in page.text
    assert missed in page.text
    assert "Last error: ConnectionError: the partner is away" in page.text
    assert "Nobody has changed it since it was added." in page.text
    links = [link for link in page.links if link.startswith("/admin/jobs/01")]
    assert len(links) == 12 + 50
    (older,) = [link for link in page.links if "before=" in link]
    assert f"/admin/jobs/{runs[0]}" in (await visitor.get(older)).links
    failed = await visitor.get(f"{PATH}/{id_}?runs=failed")
    assert f"/admin/jobs/{runs[-1]}" in failed.links
    assert missed not in failed.text.partition("Runs All")[2]
    skipped = await visitor.get(f"{PATH}/{id_}?runs=skipped")
    assert missed in skipped.text
    await visitor.get(f"{PATH}/{id_}?runs=nonsense", status=422)
    await visitor.get(f"{PATH}/0199b0b0-0000-7000-8000-000000000000", status=404)


async def test_it_says_who_changed_the_schedule_and_ran_it(served: Site, visitor: Visitor) -> None:
    id_ = await served.scheduling.add_recurring(
        ImportCustomersJob, name="Nightly", cron_expression="@daily"
    )
    path = f"{PATH}/{id_}"
    for verb in ("disable", "enable", "toggle"):
        location, _ = await visitor.post(f"{path}/{verb}", {"back": "page"})
        assert location.startswith(path)
    _, run = await visitor.post(f"{path}/run")
    assert "started by hand" in run.text
    changes = (await visitor.get(path)).text.partition("Changes")[2]
    said = re.findall(r"(Run by hand|Disabled|Enabled) .{1,20} by the token ", changes)
    assert said == ["Run by hand", "Disabled", "Enabled", "Disabled"]


async def test_a_run_leads_to_the_page_of_its_schedule(served: Site, visitor: Visitor) -> None:
    id_ = await served.scheduling.add_recurring(
        ImportCustomersJob, name="Nightly", cron_expression="@daily"
    )
    run = await served.scheduling.run_recurring_now(id_)
    assert f"{PATH}/{id_}" in (await visitor.get(f"/admin/jobs/{run}")).links
