"""`modhost jobs`, on the database that a running host works on."""

import json
from subprocess import CompletedProcess
from typing import Any

import anyio
import anyio.to_thread
import pytest

from background_jobs.commands import Commands
from background_jobs.hosts import Jobs, jobs_host
from background_jobs.jobs_module import PermanentlyFailingJob, ReportingJob, WaitingJob, Work
from background_jobs.support import add_worker, claim_one, new_job
from modhost import new_id
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage import JobStore
from processes.forking import run_modhost

pytestmark = pytest.mark.anyio

UNKNOWN = "01890000-0000-7000-8000-000000000000"


async def answer(jobs: Jobs, path: str) -> Any:
    client = await jobs.host.client("BackgroundJobs.ViewJobs")
    return (await client.get(path)).json()


async def test_the_list_is_that_of_the_api(database_url: str, commands: Commands) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        for number in range(3):
            await jobs.scheduling.enqueue(ReportingJob, Work(name=str(number)))
        waiting = await jobs.scheduling.enqueue(WaitingJob)
        assert await commands.json("list") == await answer(jobs, "/api/jobs")
        page = await commands.json("list", "--page", "2", "--page-size", "3")
        assert page == await answer(jobs, "/api/jobs?page=2&page_size=3")
        assert (len(page["items"]), page["total_count"]) == (1, 4)
        (only,) = (await commands.json("list", "--job-type", "tests.WaitingJob"))["items"]
        assert only["id"] == str(waiting)
        assert (await commands.json("list", "--state", "failed"))["items"] == []
        assert (await commands.json("list", "--state", "PENDING"))["total_count"] == 4
        table = await commands.run("list", "--page-size", "2")
        assert table.stdout.count("tests.") == 2
        assert table.stderr == "Page 1: 2 of 4 jobs.\n"


async def test_empty_lists_are_described_in_words(commands: Commands) -> None:
    assert await commands.done("list") == "No jobs.\n"
    assert await commands.done("recurring", "list") == "No recurring jobs.\n"


async def test_a_job_is_shown_with_its_attempts_and_its_log(
    database_url: str, commands: Commands
) -> None:
    async with jobs_host(database_url) as jobs:
        job = await jobs.scheduling.enqueue(ReportingJob, Work(name="ä", failures=1, lines=2))
        await jobs.ends(job)
        in_full = await answer(jobs, f"/api/jobs/{job}")
        in_full["actions"] = await answer(jobs, f"/api/jobs/{job}/actions")
        assert await commands.json("show", str(job)) == in_full
        shown = await commands.done("show", str(job))
    assert "Completed" in shown
    assert '"name": "ä"' in shown
    assert "error of attempt 1\n" in shown
    assert "failure 1" in shown
    assert shown.endswith("line 1\n")


async def test_what_jobs_say_cannot_steer_the_terminal(
    database_url: str, commands: Commands
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        job = await jobs.scheduling.enqueue(ReportingJob, {"name": "\x1b[2J\u202e\u009b"})
        shown = await commands.done("show", str(job))
    assert set("\x1b\u202e\u009b").isdisjoint(shown)


async def test_a_pending_job_is_cancelled(database_url: str, commands: Commands) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        first, second = [await jobs.scheduling.enqueue(WaitingJob) for _ in range(2)]
        assert await commands.done("cancel", str(first)) == f"The job {first} is cancelled.\n"
        status = await commands.json("cancel", str(second))
        assert status["state"] == "Cancelled"
        assert (await jobs.detail(first)).state is JobState.CANCELLED
        again = await commands.run("cancel", str(first))
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr.startswith(f"Error: The job {first} is Cancelled and cannot be cancelled;")
    assert again.stderr.count("\n") == 1


async def test_a_running_job_is_asked_to_stop(database_url: str, commands: Commands) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs, jobs.host.scope() as scope:
        # A worker that only claims cannot stop before the answer is given.
        store = await scope.get(JobStore)
        await add_worker(store)
        await store.insert([new_job()])
        job = (await claim_one(store)).lease.job_id
        asked = await commands.done("cancel", str(job))
        assert asked == f"The job {job} is asked to stop.\n"
        assert (await commands.json("cancel", str(job)))["state"] == "Running"


async def test_a_job_that_runs_elsewhere_stops(database_url: str, commands: Commands) -> None:
    async with jobs_host(database_url) as jobs:
        job = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.probe.until(lambda: jobs.probe.started["waiting"] == 1)
        await commands.done("cancel", str(job))
        assert (await jobs.ends(job)).state is JobState.CANCELLED
        assert jobs.probe.stopped["waiting"] == 1


async def test_a_failed_job_is_queued_again(database_url: str, commands: Commands) -> None:
    async with jobs_host(database_url) as jobs:
        job = await jobs.scheduling.enqueue(PermanentlyFailingJob)
        await jobs.ends(job)
        assert await commands.done("retry", str(job)) == f"The job {job} is queued again.\n"
        await jobs.probe.until(lambda: jobs.probe.started["permanent"] == 2)
        await jobs.ends(job)
    status = await commands.json("retry", str(job))
    assert (status["id"], status["state"]) == (str(job), "Pending")
    again = await commands.run("retry", str(job))
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
    assert f"The job {job} is Pending" in again.stderr


async def test_stats_show_the_counts_and_what_needs_attention(
    database_url: str, commands: Commands
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        await jobs.scheduling.enqueue(WaitingJob)
        reported = await commands.json("stats")
        assert (reported["pending"], reported["pending_is_capped"], reported["workers"]) == (
            1,
            False,
            0,
        )
        assert reported["oldest_pending_at"].endswith("Z")
        assert [each["title"] for each in reported["attention"]] == ["Nothing executes jobs"]
        assert "Nothing executes jobs: " in await commands.done("stats")
        async with jobs_host(database_url) as consumer:
            await consumer.probe.until(lambda: consumer.probe.started["waiting"] == 1)
            reported = await commands.json("stats")
            assert (reported["pending"], reported["running"], reported["workers"]) == (0, 1, 1)
            assert reported["attention"] == []


async def test_schedules_are_listed_toggled_and_deleted(
    database_url: str, commands: Commands
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        schedule = await jobs.scheduling.add_recurring(
            WaitingJob, name="Nightly", cron_expression="0 3 * * *"
        )
        listed = await commands.json("recurring", "list")
        assert listed == await answer(jobs, "/api/jobs/recurring")
        assert "Nightly" in await commands.done("recurring", "list")
        assert await commands.json("recurring", "toggle", str(schedule)) == {"is_enabled": False}
        (disabled,) = await jobs.querying.get_recurring_jobs()
        assert not disabled.is_enabled
        toggled = await commands.done("recurring", "toggle", str(schedule))
        assert toggled == f"The recurring job {schedule} is enabled.\n"
        deleted = await commands.done("recurring", "delete", str(schedule))
        assert deleted == f"The recurring job {schedule} is deleted.\n"
        assert await jobs.querying.get_recurring_count() == 0
        for action in ("toggle", "delete"):
            run = await commands.run("recurring", action, str(schedule))
            assert run.exit_code == 1
            assert run.stderr == f"Error: There is no recurring job with the id {schedule}.\n"


async def test_schedules_are_named_by_their_names_too(
    database_url: str, commands: Commands
) -> None:
    async with jobs_host(database_url, mode="Producer") as jobs:
        name, cron = "Monthly Report", "0 0 1 * *"
        await jobs.scheduling.add_recurring(WaitingJob, name=name, cron_expression=cron)
        toggled = await commands.done("recurring", "toggle", name)
        assert toggled == f"The recurring job {name} is disabled.\n"
        for action in ("toggle", "delete"):
            run = await commands.run("recurring", action, "Monthly report")
            reported = "There is no recurring job 'Monthly report'. Did you mean 'Monthly Report'?"
            assert (run.exit_code, run.stderr) == (1, f"Error: {reported}\n")
        await commands.done("recurring", "delete", name)
        assert await jobs.querying.get_recurring_count() == 0
        run = await commands.run("recurring", "toggle", name)
        assert run.stderr.endswith("`modhost jobs recurring list` shows all.\n")


@pytest.mark.parametrize("action", ["show", "cancel", "retry", "run-now", "delete"])
async def test_an_unknown_id_is_a_failure(commands: Commands, action: str) -> None:
    run = await commands.run(action, UNKNOWN)
    assert (run.exit_code, run.stdout) == (1, "")
    assert run.stderr == f"Error: There is no job with the id {UNKNOWN}.\n"


@pytest.mark.parametrize(
    "words",
    [
        "show 1",
        "cancel x",
        "retry x",
        f"reschedule {UNKNOWN} soon",
        f"reschedule {UNKNOWN}",
        "list --state Done",
        "list --page 0",
        "list --page-size 201",
        "list --page x",
        "list --colour red",
    ],
)
async def test_what_cannot_be_meant_is_bad_usage(commands: Commands, words: str) -> None:
    run = await commands.run(*words.split())
    assert (run.exit_code, run.stdout) == (2, "")
    assert "Error: " in run.stderr


async def test_a_process_of_its_own_does_the_same(database_url: str, commands: Commands) -> None:
    def modhost(*words: str) -> "CompletedProcess[str]":
        config = commands.config
        return run_modhost(["jobs", *words, "--config", str(config)], config.parent)

    async with jobs_host(database_url) as jobs:
        job = await jobs.scheduling.enqueue(WaitingJob)
        await jobs.reaches(job, JobState.RUNNING)
        asked = await anyio.to_thread.run_sync(modhost, "cancel", str(job), "--json")
        assert asked.returncode == 0, asked.stderr
        assert json.loads(asked.stdout)["id"] == str(job)
        assert (await jobs.ends(job)).state is JobState.CANCELLED
        missing = await anyio.to_thread.run_sync(modhost, "show", str(new_id()))
        assert (missing.returncode, missing.stdout) == (1, "")
