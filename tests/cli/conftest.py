from pathlib import Path

import pytest

from cli.command_line import CommandLine


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    """The command line with a SQLite database of its own."""
    return CommandLine.of(tmp_path, f"sqlite:///{tmp_path}/host.db")
