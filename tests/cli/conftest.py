from pathlib import Path

import pytest

from cli.command_line import CommandLine
from modhost.cli.main import _OWN, cli


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line with a SQLite database of its own."""
    return CommandLine.of(tmp_path, f"sqlite:///{tmp_path}/host.db")


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the modules that commands of earlier tests in this process have found."""
    own = {str(command.name): command for command in _OWN}
    for name, value in {"commands": own, "_modules": None, "_missing": (), "_disabled": ()}.items():
        monkeypatch.setattr(cli, name, value)
