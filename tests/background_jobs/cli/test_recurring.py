"""`modhost jobs recurring`: what a repeated command does, and names that several modules have."""

from dataclasses import replace
from uuid import UUID

import pytest

from background_jobs.commands import Commands
from background_jobs.hosts import jobs_host
from background_jobs.jobs_module import WaitingJob
from background_jobs.schedules import settings
from modhost_background_jobs.queue.schedule_changes import ScheduleChanges

pytestmark = pytest.mark.anyio


async def test_to_repeat_enable_or_disable_changes_nothing(
    database_url: str, commands: Commands
) -> None:
    """There was only a toggle, which a repeated request undoes."""
    async with jobs_host(database_url, mode="Producer") as jobs:
        name = "Monthly Report"
        await jobs.scheduling.add_recurring(WaitingJob, name=name, cron_expression="@monthly")
        for verb, is_enabled in (("disable", False), ("disable", False), ("enable", True)):
            answer = await commands.json("recurring", verb, name)
            assert answer == {"is_enabled": is_enabled}
            (schedule,) = await jobs.querying.get_recurring_jobs()
            assert schedule.is_enabled is is_enabled
        done = await commands.done("recurring", "enable", name)
        assert done == f"The recurring job {name} is enabled.\n"


async def test_a_name_that_several_modules_have_is_refused_with_the_ids(
    changes: ScheduleChanges, commands: Commands
) -> None:
    ids = [
        await changes.put(replace(settings("Nightly"), module_name=module))
        for module in ("mail", "stocks")
    ]
    run = await commands.run("recurring", "disable", "Nightly")
    assert run.exit_code == 1
    assert run.stderr == (
        f"Error: Several modules have a recurring job 'Nightly': {ids[0]} (mail), "
        f"{ids[1]} (stocks).\n"
    )
    assert await commands.json("recurring", "disable", str(ids[1])) == {"is_enabled": False}
    listed = await commands.json("recurring", "list")
    assert [(each["module_name"], each["is_enabled"]) for each in listed] == [
        ("mail", True),
        ("stocks", False),
    ]


async def test_an_id_means_its_own_recurring_job_whatever_another_is_named(
    changes: ScheduleChanges, commands: Commands
) -> None:
    meant = await changes.put(settings("Nightly"))
    other = await changes.put(settings(str(meant)))
    assert await commands.json("recurring", "disable", str(meant)) == {"is_enabled": False}
    listed = await commands.json("recurring", "list")
    assert {each["id"]: each["is_enabled"] for each in listed} == {
        str(meant): False,
        str(other): True,
    }


async def test_bad_usage_of_the_list_is_refused_in_one_line(commands: Commands) -> None:
    run = await commands.run("list", "--job-type", "\udcff")
    assert (run.exit_code, "--job-type has a character" in run.stderr) == (2, True)
    run = await commands.run("list", "--page", "2", "--after", "0" * 32)
    assert (run.exit_code, "not both" in run.stderr) == (2, True)


async def test_a_recurring_job_is_created_edited_and_run(
    database_url: str, commands: Commands
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        for name, cron in (("Nightly", "0 3 * * *"), ("Hourly", "@hourly")):
            await jobs.scheduling.add_recurring(WaitingJob, name=name, cron_expression=cron)
        # The commands know the jobs of installed modules alone.
        refused = await commands.run("recurring", "create", "Own", "tests.WaitingJob", "@daily")
        assert (refused.exit_code, "has the job type 'tests.WaitingJob'" in refused.stderr) == (
            2,
            True,
        )
        refused = await commands.run("recurring", "edit", "Nightly", "--data", "{")
        assert (refused.exit_code, "The input is not JSON" in refused.stderr) == (2, True)
        run = await commands.json("recurring", "run", "Nightly")
        detail = await jobs.detail(UUID(run["job_id"]))
        assert str(detail.recurring_job_id) in await commands.done("recurring", "list")
