"""`modhost settings`: list, set, reset."""

import json
from pathlib import Path

import pytest

from cli.command_line import CommandLine
from modhost.cli.main import _OWN, cli


@pytest.fixture
def command_line(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    own = {str(command.name): command for command in _OWN}
    for name, value in {"commands": own, "_modules": None, "_missing": (), "_disabled": ()}.items():
        monkeypatch.setattr(cli, name, value)
    return CommandLine.of(
        tmp_path, database_url, "[modules.reports_example.settings]\nmax_records = 500"
    )


def test_settings_are_listed_set_and_reset(command_line: CommandLine) -> None:
    def listed() -> dict[str, tuple[object, str]]:
        rows = json.loads(command_line.run("settings", "list", "--json").stdout)
        return {each["name"]: (each["value"], each["origin"]) for each in rows}

    assert listed() == {"reports_shown": (20, "default"), "max_records": (500, "file")}
    run = command_line.run("settings", "set", "reports_example", "reports_shown", "50")
    assert (run.exit_code, run.stdout) == (
        0,
        "The setting reports_example.reports_shown is 50, from page.\n",
    )
    assert listed()["reports_shown"] == (50, "page")
    table = command_line.run("settings", "list").stdout
    assert "page (command:" in table
    run = command_line.run("settings", "reset", "reports_example", "reports_shown")
    assert run.stdout == "The setting reports_example.reports_shown is 20, from default.\n"


def test_a_mistake_is_a_line_and_exit_code_2(command_line: CommandLine) -> None:
    for words, reason in (
        (("set", "reports_example", "reports_shown", "many"), "Write a whole number."),
        (("set", "reports_example", "reports_shown", "101"), "Write a number, 100 or less."),
        (("set", "reports_example", "report_shown", "1"), "Did you mean 'reports_shown'?"),
        (("reset", "reports", "shown"), "Did you mean 'reports_example'?"),
    ):
        run = command_line.run("settings", *words)
        assert run.exit_code == 2
        assert reason in run.stderr
        assert run.stderr.count("\n") == 1
