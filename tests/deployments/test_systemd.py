"""The documented units of systemd are units, and start what there is."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from deployments.documented import OPERATIONS, blocks
from modhost.cli.main import cli
from modhost.cli.serving import run, worker

UNITS = dict(
    zip(
        re.findall(r"^`/etc/systemd/system/([\w@.-]+)`", OPERATIONS, re.MULTILINE),
        blocks(OPERATIONS, "ini"),
        strict=True,
    )
)


def test_there_is_one_for_each_tier() -> None:
    assert list(UNITS) == ["modhost-worker@.service", "modhost-web.service"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_to_say_about_it(tmp_path: Path, name: str) -> None:
    unit = tmp_path / name.replace("@", "@1")
    unit.write_text(UNITS[name].replace("/srv/modhost/.venv/bin/modhost", sys.executable))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    about_it = [line for line in checked.stderr.splitlines() if unit.name in line]
    assert about_it == [], checked.stderr


@pytest.mark.parametrize(
    ("name", "command"), [("modhost-worker@.service", worker), ("modhost-web.service", run)]
)
def test_it_starts_a_command_that_there_is(name: str, command: click.Command) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", UNITS[name], re.MULTILINE)
    _, word, *options = shlex.split(line)
    assert cli.commands[word] is command
    command.make_context(word, options)
    # 2 is what no restart can cure; the stop takes what the page about stopping says.
    assert "RestartPreventExitStatus=2\n" in UNITS[name]
    assert "TimeoutStopSec=80\n" in UNITS[name]
