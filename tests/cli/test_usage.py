"""Bad usage is reported in one line, with a remedy, and exits with 2."""

import pytest

from cli.command_line import CommandLine
from modhost.cli.main import main

REPORTED = {
    "foo": "No such command 'foo'. See `modhost --help`.",
    "jobs lst": "No such command 'lst'. Did you mean 'list'? See `modhost jobs --help`.",
    "jobs list --pag 3": (
        "No such option '--pag'. (Did you mean one of: '--page', '--page-size', '--tag'?) "
        "See `modhost jobs list --help`."
    ),
    "run --port 80": "No such option '--port'. See `modhost run --help`.",
    "jobs list --page": "Option '--page' requires an argument.",
    "jobs show": "Missing argument 'JOB_ID'. See `modhost jobs show --help`.",
    "jobs list a b": "Got unexpected extra arguments (a b). See `modhost jobs list --help`.",
    "jobs show 1": (
        "Invalid value for 'JOB_ID': '1' is not a valid UUID. See `modhost jobs show --help`."
    ),
    "roles add Empty --permission Nope": (
        "No module declares a permission that 'Nope' covers. `modhost permissions` lists all."
    ),
}


@pytest.mark.parametrize("words", REPORTED)
def test_bad_usage_is_reported_in_one_line(command_line: CommandLine, words: str) -> None:
    run = command_line.run(*words.split())
    assert (run.exit_code, run.stdout) == (2, "")
    assert run.stderr == f"Error: {REPORTED[words]}\n"


def test_a_bad_option_before_the_command_is_reported_in_one_line(command_line: CommandLine) -> None:
    run = command_line.run("--confg", "x", "modules")
    reported = "Error: No such option '--confg'. Did you mean '--config'? See `modhost --help`.\n"
    assert (run.exit_code, run.stderr) == (2, reported)


def test_a_group_without_a_command_lists_its_commands(command_line: CommandLine) -> None:
    run = command_line.run("jobs")
    assert run.exit_code == 2
    assert "Commands:\n" in run.stderr
    assert "  cancel " in run.stderr


@pytest.mark.parametrize("words", ["--config", "run --config", "jobs list --config"])
def test_a_configuration_without_a_name_is_asked_for(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(words.split())
    assert left.value.code == 2
    assert capsys.readouterr().err == "Error: Option '--config' requires an argument.\n"


@pytest.mark.parametrize("words", ["run", "tokens", "tokens list", "jobs", "jobs types list"])
def test_the_help_of_a_command_names_the_configuration(
    command_line: CommandLine, words: str
) -> None:
    shown = command_line.run(*words.split(), "--help").stdout
    assert shown.count("`--config FILE` names the configuration") == 1


@pytest.mark.parametrize("command", ["run", "worker"])
def test_the_help_of_what_listens_names_the_address(
    command_line: CommandLine, command: str
) -> None:
    assert "[host] bind is the address" in command_line.run(command, "--help").stdout
