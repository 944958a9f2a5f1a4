"""Commands of modules: a name that is taken is refused, and one that is missing says why."""

import os
from pathlib import Path
from subprocess import CompletedProcess

import click
import pytest

from modhost import Module, hookimpl
from modhost.checks import StartupError
from modhost.cli.main import cli
from modhost.configuration import Configuration
from modhost.plugins.module_commands import HOST_COMMANDS
from modhost.runtime.assembly import build_host
from processes.forking import run_modhost

MODULE = """
import click
from modhost import Module, hookimpl

class Acme(Module):
    name = "{name}"

    @hookimpl
    def register_commands(self, cli):
        {body}
"""
ADD = 'cli.add_command(click.Command("{}", callback=lambda: click.echo("{} of " + self.name)))'


def adding(name: str, command: str) -> Module:
    class Adding(Module):
        @hookimpl
        def register_commands(self, cli: click.Group) -> None:
            cli.add_command(click.Command(command))

    Adding.name = name
    return Adding()


def installed(folder: Path, **bodies: str) -> Path:
    """Install a module for each body of `register_commands`, or for a line instead of a module."""
    for name, body in bodies.items():
        info = folder / f"acme_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        text = MODULE.format(name=name, body=body) if "cli" in body else body
        (folder / f"acme_{name}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[modhost.modules]\n{name} = acme_{name}:Acme\n")
    return folder


def modhost(modules: Path, *words: str, disabled: str = "[]") -> CompletedProcess[str]:
    config = modules / "host.toml"
    config.write_text(
        f'[host]\ndatabase_url = "sqlite:///x.db"\n[host.modules]\ndisabled = {disabled}\n'
    )
    environment = {**os.environ, "PYTHONPATH": str(modules)}
    return run_modhost(["--config", str(config), *words], modules, environment)


def test_the_names_of_the_host_are_those_that_modules_cannot_take() -> None:
    own = {name for name, command in cli.commands.items() if "modhost.cli" in _home(command)}
    assert own == set(HOST_COMMANDS), "plugins/module_commands.py names the host's commands"


def _home(command: click.Command) -> str:
    return getattr(command.callback, "__module__", "")


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        (
            [("alpha", "export"), ("beta", "export")],
            (
                "MH115 Two commands have the same name (module beta, distribution tests): it adds "
                "the command 'export', and alpha has one, too."
            ),
        ),
        ([("alpha", "users")], "it adds the command 'users', and the host has one itself."),
    ],
)
def test_a_name_that_is_taken_stops_the_start(modules: list[tuple[str, str]], words: str) -> None:
    given = [adding(*each) for each in modules]
    with pytest.raises(StartupError) as refused:
        build_host(Configuration(), "web", modules=given)
    assert words in str(refused.value)


def test_of_two_commands_with_one_name_none_runs(tmp_path: Path) -> None:
    export = ADD.format("export", "export")
    modules = installed(tmp_path, alpha=export, beta=export, gamma=ADD.format("own", "own"))
    run = modhost(modules, "export")
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("Error: MH115 Two commands have the same name (module beta")
    assert "alpha has one, too" in run.stderr
    assert run.stderr.count("\n") == 1
    assert modhost(modules, "own").stdout == "own of gamma\n"
    assert "MH115" in modhost(modules, "modules").stderr
    listed = modhost(modules, "--help")
    assert "export" not in listed.stdout
    assert "warning: MH115" in listed.stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import nothing_like_it", "importing it raised ModuleNotFoundError: No module named"),
        ("Acme = 5", "the entry point 'alpha' names acme_alpha:Acme, which is 5."),
        ("raise ValueError('no cli')", "register_commands raised ValueError: no cli."),
    ],
)
def test_a_missing_command_says_which_module_cannot_be_used(
    tmp_path: Path, body: str, words: str
) -> None:
    run = modhost(installed(tmp_path, alpha=body), "export", "all")
    assert run.returncode == 2
    assert run.stderr.startswith("Error: No such command 'export'. MH1")
    assert "module alpha, distribution acme-alpha" in run.stderr
    assert words in run.stderr
    assert run.stderr.endswith("See `modhost --help`.\n")
    assert run.stderr.count("\n") == 1


def test_a_module_that_exits_takes_no_other_command_along(tmp_path: Path) -> None:
    modules = installed(tmp_path, alpha="raise SystemExit(7)  # cli", beta=ADD.format("own", "own"))
    helped = modhost(modules, "--help")
    assert helped.returncode == 0
    assert "own" in helped.stdout
    assert "register_commands raised RuntimeError: it called sys.exit(7)" in helped.stderr
    assert modhost(modules, "own").stdout == "own of beta\n"


def test_the_command_of_a_disabled_module_says_so(tmp_path: Path) -> None:
    modules = installed(tmp_path, alpha=ADD.format("export", "export"))
    run = modhost(modules, "export", disabled='["alpha"]')
    assert "left out by [host.modules] disabled: alpha." in run.stderr
    assert modhost(modules, "export").stdout == "export of alpha\n"
