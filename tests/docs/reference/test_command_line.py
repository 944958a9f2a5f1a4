"""The page about the command line has every command with every option, and its JSON keys."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import click
import pytest
from click.testing import CliRunner

from background_jobs.flow.control.served import MailJob
from background_jobs.jobs_module import JobsModule, Probe
from background_jobs.support import add_worker
from diagnosis.support import install
from docs.pages import headings, page, section
from hosts import host_with
from modhost.cli.main import cli
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.storage import JobStore
from modhost_reports_example.contracts import ReportRequest, ReportType
from modhost_reports_example.jobs import GenerateReportJob
from modhost_reports_example.module import ReportsModule

PAGE = page("command-line.md")
DOCUMENTED = [heading for heading in headings(PAGE) if heading.startswith("modhost ")]


def commands(
    command: click.Command = cli, name: str = "modhost", above: click.Context | None = None
) -> Iterator[tuple[str, click.Command]]:
    """Walk the real parser, the commands of modules included."""
    context = click.Context(command, parent=above, info_name=name)
    if not isinstance(command, click.Group):
        yield context.command_path, command
        return
    for each in command.list_commands(context):
        below = command.get_command(context, each)
        assert below is not None
        yield from commands(below, each, context)


COMMANDS = dict(commands())


def options_shown(heading: str) -> set[str]:
    rows = re.findall(r"^\| `([^`\s]+)[^`]*` \|", section(PAGE, heading), re.MULTILINE)
    return set(rows)


def json_keys(heading: str) -> set[str]:
    """Return the documented keys of the JSON."""
    row = re.search(r"^\| `--json` \| (.*) \|$", section(PAGE, heading), re.MULTILINE)
    assert row
    return set(re.findall(r"`(\w+)`", row[1]))


def test_every_command_is_there_and_no_other() -> None:
    assert set(DOCUMENTED) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_there_and_no_other(name: str) -> None:
    given = {
        each.opts[0] if isinstance(each, click.Option) else each.opts[0].upper()
        for each in COMMANDS[name].params
    }
    assert options_shown(name) == given


def test_the_options_of_all_commands_are_there() -> None:
    given = {each.opts[0] for each in cli.get_params(click.Context(cli))}
    assert given <= options_shown("Command line")


async def filled(database_url: str) -> tuple[str, str, str, str]:
    """Put a failed job, a pending one, a schedule, a failed workflow and a worker there."""
    consumer = {"worker_mode": "Consumer"}
    modules = (ReportsModule(), JobsModule(Probe(), [MailJob]))
    async with host_with(database_url, *modules, background_jobs=consumer) as hosted:
        jobs = hosted.scheduling
        unknown = ReportRequest(type=ReportType.MONTHLY, source="none")
        failed = await jobs.enqueue(GenerateReportJob, unknown)
        with anyio.fail_after(30):
            while (await jobs.get_status(failed)).state is not JobState.FAILED:  # type: ignore[union-attr]
                await anyio.sleep(0.01)
        later = datetime.now(UTC) + timedelta(days=1)
        data = ReportRequest(type=ReportType.MONTHLY, source="weather")
        pending = await jobs.schedule(GenerateReportJob, later, data)
        name, cron = "Nightly", "0 3 * * *"
        nightly = await jobs.add_recurring(
            GenerateReportJob, name=name, cron_expression=cron, data=data
        )
        async with jobs.workflow("Failing") as workflow:
            workflow.add(GenerateReportJob, ReportRequest(type=ReportType.YEARLY, source="none"))
        with anyio.fail_after(30):
            while (await jobs.get_workflow(workflow.id)).state != "Failed":  # type: ignore[union-attr]
                await anyio.sleep(0.01)
        await add_worker(await hosted.service(JobStore), "lasting")
        return str(failed), str(pending), str(nightly), str(workflow.id)


def test_the_json_has_the_keys_that_are_shown(tmp_path: Path) -> None:
    config = tmp_path / "host.toml"
    database_url = f"sqlite:///{tmp_path}/modhost.db"
    config.write_text(f'[host]\ndatabase_url = "{database_url}"\n')
    failed, pending, nightly, workflow = anyio.run(filled, database_url)

    def modhost(words: str, given: str = "") -> set[str]:
        arguments = ["--config", str(config), *words.split(), "--json"]
        run = CliRunner().invoke(cli, arguments, input=given, catch_exceptions=False)
        assert run.exit_code == 0, run.output
        answer = json.loads(run.stdout)
        return set(answer[0] if isinstance(answer, list) else answer)

    limit, job_type = "tests.MailJob.concurrency.name", "reports_example.GenerateReportJob"
    calls = {
        "modhost modules": "modules",
        "modhost routes": "routes",
        "modhost permissions": "permissions",
        "modhost services": "services",
        "modhost config": "config",
        "modhost tokens create": "tokens create ci --role Viewer --expires 30d",
        "modhost tokens list": "tokens list",
        "modhost tokens revoke": "tokens revoke ci",
        "modhost users add": "users add ada --role Admin",
        "modhost users list": "users list",
        "modhost users disable": "users disable ada",
        "modhost users logout": "users logout ada",
        "modhost users enable": "users enable ada",
        "modhost roles list": "roles list",
        "modhost roles add": "roles add Editor --permission Reports.*",
        "modhost roles grant": "roles grant Editor BackgroundJobs.ViewJobs",
        "modhost roles revoke": "roles revoke Editor BackgroundJobs.ViewJobs",
        "modhost users assign": "users assign ada Editor",
        "modhost users withdraw": "users withdraw ada Editor",
        "modhost settings list": "settings list",
        "modhost settings set": "settings set reports_example reports_shown 5",
        "modhost settings reset": "settings reset reports_example reports_shown",
        "modhost jobs list": "jobs list",
        "modhost jobs show": f"jobs show {failed}",
        "modhost jobs retry": f"jobs retry {failed}",
        "modhost jobs reschedule": f"jobs reschedule {pending} 2040-01-01T00:00Z",
        "modhost jobs run-now": f"jobs run-now {pending}",
        "modhost jobs cancel": f"jobs cancel {pending}",
        "modhost jobs delete": f"jobs delete {pending}",
        "modhost jobs stats": "jobs stats",
        "modhost jobs workers list": "jobs workers list",
        "modhost jobs workers departed": "jobs workers departed",
        "modhost jobs workers quiet": "jobs workers quiet lasting",
        "modhost jobs workers resume": "jobs workers resume lasting",
        "modhost jobs queues list": "jobs queues list",
        "modhost jobs queues pause": "jobs queues pause bulk",
        "modhost jobs queues resume": "jobs queues resume bulk",
        "modhost jobs workflows list": "jobs workflows list",
        "modhost jobs workflows show": f"jobs workflows show {workflow}",
        "modhost jobs workflows retry": f"jobs workflows retry {workflow}",
        "modhost jobs workflows cancel": f"jobs workflows cancel {workflow}",
        "modhost jobs types list": "jobs types list",
        "modhost jobs types pause": f"jobs types pause {job_type}",
        "modhost jobs types resume": f"jobs types resume {job_type}",
        "modhost jobs limits list": "jobs limits list",
        "modhost jobs limits set": f"jobs limits set {limit} 3",
        "modhost jobs limits reset": f"jobs limits reset {limit}",
        "modhost jobs recurring list": "jobs recurring list",
        "modhost jobs recurring create": (
            "jobs recurring create Weekly reports_example.GenerateReportJob @weekly "
            '--data {"type":"monthly","source":"seattle-weather"}'
        ),
        "modhost jobs recurring edit": "jobs recurring edit Weekly --cron @monthly",
        "modhost jobs recurring run": "jobs recurring run Weekly",
        "modhost jobs recurring disable": f"jobs recurring disable {nightly}",
        "modhost jobs recurring enable": f"jobs recurring enable {nightly}",
        "modhost jobs recurring toggle": f"jobs recurring toggle {nightly}",
    }
    with_json = {name for name in COMMANDS if "--json" in options_shown(name)}
    assert set(calls) == with_json - {"modhost doctor", "modhost events"}
    for name, words in calls.items():
        assert modhost(words, "correct horse\n") == json_keys(name), name


def test_the_json_of_the_events_has_the_keys_that_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "from modhost import Module\nfrom modhost.events import Event\n"
    source += "class Sent(Event): ...\nclass Acme(Module): name, publishes = 'post', (Sent,)\n"
    install(tmp_path, monkeypatch, "post", source)
    run = CliRunner().invoke(cli, ["events", "--json"], catch_exceptions=False)
    events = json.loads(run.stdout)
    (own,) = [each for each in events if each["published_by"] == ["post"]]
    assert own["event"] == "acme_post.Sent"
    assert all(set(each) == json_keys("modhost events") for each in events)


def test_the_json_of_the_doctor_has_the_keys_that_are_shown(tmp_path: Path) -> None:
    config = tmp_path / "host.toml"
    config.write_text(f'[host]\ndatabase_url = "sqlite:///{tmp_path}/not_migrated.db"\n')
    run = CliRunner().invoke(cli, ["--config", str(config), "doctor", "--json"])
    (finding,) = json.loads(run.stdout)
    assert set(finding) == json_keys("modhost doctor")
