"""Creating and editing recurring jobs by hand: on the page and by the API, never those of code."""

from typing import Any
from uuid import UUID

import pytest

from background_jobs.queue.test_set_recurring import SweepsModule, definitions
from hosts import host_with
from modhost_background_jobs.contracts import RecurringJob
from modhost_background_jobs.queue.schedules import RecurringSchedules
from pages.demo import ImportCustomersJob, Steps
from pages.site import Site
from pages.visitor import Visitor
from sweeps import first_on_both

pytestmark = pytest.mark.anyio

PATH = "/admin/jobs/recurring"
TYPED = {
    "name": "Nightly",
    "job_type": "customers.ImportCustomersJob",
    "cron_expression": "*/15 8-18 * * MON-FRI",
    "time_zone": "Europe/Berlin",
    "data": '{"note": "by hand"}',
    "overlap": "queue",
    "catch_up": "none",
    "max_attempts": "4",
    "timeout_seconds": "90",
    "priority": "7",
    "tags": "north daily",
}


async def schedules(served: Site) -> dict[str, RecurringJob]:
    found = await served.querying.get_recurring_jobs()
    return {each.name: each for each in found if each.module_name == "customers"}


async def test_a_schedule_is_created_checked_and_edited_without_javascript(
    served: Site, visitor: Visitor
) -> None:
    page = await visitor.get(f"{PATH}/new")
    assert "Type an expression to see when it runs." in page.text
    _, page = await visitor.post(f"{PATH}/new", {**TYPED, "do": "check"})
    assert "Every 15 minutes, 08:00\N{EN DASH}18:59, Monday to Friday" in page.text
    assert page.source.count("data-exact") == 5
    assert 'value="Nightly"' in page.source
    assert await schedules(served) == {}
    refused = await visitor.client.post(f"{PATH}/new", data={**TYPED, "data": "{"})
    assert (refused.status_code, "Press Check to see when" in refused.text) == (422, True)

    location, page = await visitor.post(f"{PATH}/new", TYPED)
    assert "The recurring job is created." in page.text
    assert "Made by hand" in page.text
    assert "by hand" in page.text
    created = (await schedules(served))["Nightly"]
    assert location.startswith(f"{PATH}/{created.id}")
    row = await (await served.service(RecurringSchedules)).get(created.id)
    assert (row.overlap, row.catch_up, row.max_attempts) == ("queue", "none", 4)
    assert row.timeout_seconds == 90
    assert '"by hand"' in (row.data or "")

    form = await visitor.get(f"{PATH}/{created.id}/edit")
    for typed in ("Europe/Berlin", "*/15 8-18 * * MON-FRI", "north daily", "90"):
        assert f'value="{typed}"' in form.source
    changed = {**TYPED, "name": "Hourly", "cron_expression": "@hourly"}
    _, page = await visitor.post(f"{PATH}/{created.id}/edit", changed)
    assert "The recurring job is changed" in page.text
    assert "Every hour" in page.text
    assert {name: each.id for name, each in (await schedules(served)).items()} == {
        "Hourly": created.id
    }
    precise = {**changed, "timeout_seconds": "1209600.25"}
    await visitor.post(f"{PATH}/{created.id}/edit", precise)
    form = await visitor.get(f"{PATH}/{created.id}/edit")
    assert 'value="1209600.25"' in form.source
    changes = page.text.partition("Changes")[2]
    assert "Edited" in changes
    assert "Created" in changes
    assert "Hourly: @hourly Europe/Berlin, customers.ImportCustomersJob" in changes


@first_on_both(
    "field,typed,problem",
    [
        ("name", " ", "is blank"),
        ("cron_expression", "61 * * * *", "61 is out of range"),
        ("cron_expression", "* * * *", "has 4 fields instead of five"),
        ("cron_expression", "0 0 30 2 *", "never fires"),
        ("time_zone", "Europe/Nowhere", "is not a time zone that this machine knows"),
        ("data", "{", "The input is not JSON"),
        ("data", '{"steps": "many"}', "steps has to be a whole number"),
        ("job_type", "gone.Job", "No module of this host has the job type"),
        ("max_attempts", "0", "max_attempts is 0"),
        ("max_attempts", "many", "is not a whole number"),
        ("timeout_seconds", "-1", "is not a number of seconds above 0"),
        ("timeout_seconds", "1e300", "too large"),
        ("priority", "101", "101"),
    ],
)
async def test_what_cannot_be_is_refused_beside_its_field(
    served: Site, visitor: Visitor, field: str, typed: str, problem: str
) -> None:
    answer = await visitor.client.post(f"{PATH}/new", data={**TYPED, field: typed})
    assert answer.status_code == 422
    assert problem in answer.text.replace("&#39;", "'")
    assert 'aria-invalid="true"' in answer.text
    assert 'value="north daily"' in answer.text
    assert await schedules(served) == {}


async def test_a_part_of_the_page_says_when_what_is_typed_would_run(
    served: Site, visitor: Visitor
) -> None:
    async def shown(cron_expression: str, time_zone: str = "UTC") -> str:
        values = {"cron_expression": cron_expression, "time_zone": time_zone}
        answer = await visitor.client.get(f"{PATH}/preview", params=values)
        assert (answer.status_code, "<html" in answer.text) == (200, False)
        return answer.text

    assert "At 03:00 every day" in await shown("0 3 * * *")
    assert (await shown("0 3 * * *", "Asia/Kolkata")).count("03:00 IST") == 5
    assert "&lt;b&gt;" in await shown("<b> * * * *")
    assert "not a time zone" in await shown("0 3 * * *", "Mars/Base")
    assert "Type an expression" in await shown(" ")


async def test_names_are_unique_and_viewers_are_refused(served: Site, visitor: Visitor) -> None:
    await visitor.post(f"{PATH}/new", TYPED)
    answer = await visitor.client.post(f"{PATH}/new", data=TYPED)
    assert answer.status_code == 422
    assert "has a recurring job named" in answer.text
    viewer = await Visitor.of(served, "BackgroundJobs.ViewJobs")
    nightly = (await schedules(served))["Nightly"].id
    for path in (f"{PATH}/new", f"{PATH}/{nightly}/edit"):
        assert (await viewer.client.get(path)).status_code == 403
        assert (await viewer.client.post(path, data=TYPED)).status_code == 403
    assert "Edit…" not in (await viewer.get(f"{PATH}/{nightly}")).text


async def test_the_api_creates_edits_and_runs_schedules(served: Site, visitor: Visitor) -> None:
    client, path = visitor.client, "/api/jobs/recurring"
    client.headers["Accept"] = "application/json"
    asked: dict[str, Any] = {
        "name": "Nightly",
        "job_type": "customers.ImportCustomersJob",
        "cron_expression": "0 3 * * *",
        "data": {"note": "by api"},
    }
    answer = await client.post(path, json=asked)
    assert answer.status_code == 201
    id_ = UUID(answer.json()["id"])
    assert answer.json()["time_zone"] == "UTC"
    assert (await client.post(path, json=asked)).status_code == 409
    bad = await client.post(path, json={**asked, "name": "Other", "cron_expression": "99 * * * *"})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["field"] == "cron_expression"
    assert (await client.post(path, json={**asked, "unknown": 1})).status_code == 422
    edited = await client.put(f"{path}/{id_}", json={**asked, "time_zone": "Asia/Tokyo"})
    assert (edited.status_code, edited.json()["time_zone"]) == (200, "Asia/Tokyo")
    unknown = "0199b0b0-0000-7000-8000-000000000000"
    assert (await client.put(f"{path}/{unknown}", json=asked)).status_code == 404
    run = await client.post(f"{path}/{id_}/run-now")
    assert run.status_code == 202
    detail = await served.ends(UUID(run.json()["job_id"]))
    assert detail.data["note"] == detail.summary == "by api"
    other = await client.post(path, json={**asked, "name": "Other"})
    taken = await client.put(f"{path}/{other.json()['id']}", json=asked)
    assert (taken.status_code, "Nightly" in taken.json()["detail"]) == (409, True)


async def test_what_code_puts_cannot_be_edited_and_what_it_adds_once_can(
    database_url: str,
) -> None:
    """Nor does a module that declares all of its schedules delete those made by hand."""
    module = SweepsModule(["Own"], declares=True)
    async with host_with(database_url, module) as jobs:
        client = await jobs.host.client("BackgroundJobs.*")
        (own,) = await jobs.querying.get_recurring_jobs()
        asked = {"name": "Own", "job_type": "sweeps.SweepJob", "cron_expression": "@hourly"}
        answer = await client.put(f"/api/jobs/recurring/{own.id}", json=asked)
        assert answer.status_code == 409
        assert "The start of the module sweeps puts the recurring job 'Own'" in answer.text
        page = (await client.get(f"{PATH}/{own.id}/edit")).text
        assert "Code owns this recurring job: the start of the module sweeps puts it" in page
        by_hand = await client.post("/api/jobs/recurring", json={**asked, "name": "By hand"})
        assert by_hand.status_code == 201
    async with host_with(database_url, module) as jobs:
        names = [each.name for each in await jobs.querying.get_recurring_jobs()]
        assert names == ["By hand", "Own"]
        await jobs.scheduling.set_recurring("sweeps", definitions("By hand"))
        (left,) = await jobs.querying.get_recurring_jobs()
        row = await (await jobs.service(RecurringSchedules)).get(left.id)
        assert (left.cron_expression, row.is_by_hand) == ("@daily", False)


async def test_a_schedule_that_was_added_once_at_run_time_can_be_edited(
    served: Site, visitor: Visitor
) -> None:
    id_ = await served.scheduling.add_recurring(
        ImportCustomersJob, name="Nightly", cron_expression="@daily", data=Steps(steps=5)
    )
    form = await visitor.get(f"{PATH}/{id_}/edit")
    assert "&#34;steps&#34;: 5" in form.source
    await visitor.post(f"{PATH}/{id_}/edit", {**TYPED, "cron_expression": "@weekly"})
    assert (await schedules(served))["Nightly"].cron_expression == "@weekly"
