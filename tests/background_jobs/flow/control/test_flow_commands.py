"""`modhost jobs queues`, `types` and `limits`: list, pause, resume, set and reset."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from background_jobs.commands import Commands
from background_jobs.flow.control.served import by_name, served
from background_jobs.jobs_module import ReportingJob, Work
from sweeps import first_on_both

pytestmark = pytest.mark.anyio


async def listed(commands: Commands, what: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in await commands.json(what, "list")}


async def test_queues_are_listed_paused_and_resumed(database_url: str, commands: Commands) -> None:
    async with served(database_url) as (jobs, client):
        await jobs.scheduling.enqueue(ReportingJob, Work(), queue="bulk")
        assert (await listed(commands, "queues"))["bulk"]["due"] == 1
        before = datetime.now(UTC)
        reason = "The provider is down."
        paused = await commands.done(
            "queues", "pause", "bulk", "--until", "30m", "--reason", reason
        )
        assert paused.startswith("The queue bulk is paused by command:")
        assert paused.endswith(f": {reason}\n")
        row = (await by_name(client, "queues"))["bulk"]
        assert row == (await listed(commands, "queues"))["bulk"]
        assert (row["is_paused"], row["reason"]) == (True, reason)
        left = datetime.fromisoformat(row["paused_until"]) - before
        assert timedelta(minutes=29) < left < timedelta(minutes=31)
        (shown,) = [
            line for line in (await commands.done("queues", "list")).splitlines() if "bulk" in line
        ]
        assert reason in shown
        assert await commands.done("queues", "resume", "bulk") == "The queue bulk is not paused.\n"
        assert await commands.done("queues", "resume", "bulk") == "The queue bulk is not paused.\n"
        assert not (await by_name(client, "queues"))["bulk"]["is_paused"]


async def test_a_queue_that_nothing_names_yet_is_paused_with_a_hint(commands: Commands) -> None:
    run = await commands.run("queues", "pause", "later", "--until", "2100-01-01T00:00Z", "--json")
    assert run.exit_code == 0
    assert '"paused_until": "2100-01-01T00:00:00Z"' in run.stdout
    assert run.stderr == "No class, job or worker names this queue yet; the first ones wait.\n"
    again = await commands.run("queues", "pause", "later")
    assert (again.exit_code, again.stderr) == (0, "")


async def test_types_are_listed_paused_and_resumed(database_url: str, commands: Commands) -> None:
    async with served(database_url) as (jobs, client):
        name = "tests.ReportingJob"
        await jobs.scheduling.enqueue(ReportingJob, Work())
        assert (await listed(commands, "types"))[name]["pending"] == 1
        paused = await commands.done("types", "pause", name)
        assert paused.startswith(f"The job type {name} is paused by command:")
        assert (await by_name(client, "types"))[name]["is_paused"] is True
        assert (await commands.json("types", "resume", name))["is_paused"] is False
        assert (await by_name(client, "types"))[name]["is_paused"] is False


async def test_limits_are_listed_set_and_reset(database_url: str, commands: Commands) -> None:
    async with served(database_url) as (_, client):
        name = "provider/eu #1"
        assert (await listed(commands, "limits"))[name] == (await by_name(client, "limits"))[name]
        done = await commands.done("limits", "set", name, "7")
        assert done == f"The limit {name} is 7, by default 500.\n"
        assert (await by_name(client, "limits"))[name]["limit"] == 7
        done = await commands.done("limits", "reset", name)
        assert done == f"The limit {name} is 500, as in its class.\n"
        assert (await commands.json("limits", "reset", name))["limit"] == 500


@first_on_both(
    "words,message",
    [
        (("queues", "pause", "*"), "No queue is named '*'"),
        (("queues", "resume", "a,b"), "No queue is named 'a,b'"),
        (("queues", "pause", "a", "--until", "tomorrow"), "--until is 'tomorrow'"),
        (("queues", "pause", "a", "--until", "2100-01-01T00:00"), "give a time with a zone"),
        (("queues", "pause", "a", "--until", "2020-01-01T00:00Z"), "in the future"),
        (("queues", "pause", "a", "--until", "0"), "in the future"),
        (("queues", "pause", "a", "--until", "99999999999d"), "--until is '99999999999d'"),
        (("queues", "pause", "a", "--reason", "two\nlines"), "The reason is"),
        (("types", "pause", "tests.ReportingJob"), "There is no job type 'tests.ReportingJob'"),
        (("types", "resume", "x\udcffy"), "There is no job type"),
        (("limits", "set", "x", "3"), "There is no limit 'x'"),
        (("limits", "reset", "x\udcff"), "There is no limit"),
        (("limits", "set", "x", "0"), "0 is not in the range"),
        (("limits", "set", "x", "many"), "'many' is not a valid integer"),
    ],
)
async def test_bad_usage_is_one_line_and_exit_code_2(
    sqlite_url: str, commands: Commands, words: tuple[str, ...], message: str
) -> None:
    run = await commands.run(*words)
    assert run.exit_code == 2, run.output
    (error,) = [line for line in run.stderr.splitlines() if line.startswith("Error")]
    assert message in error
    assert "Traceback" not in run.output
