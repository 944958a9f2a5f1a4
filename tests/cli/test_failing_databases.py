"""A failing database is reported in sentences, each with a remedy."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.command_line import CommandLine
from modhost.checks import StartupError

PAGE_SIZE = 4096
FILE_REMEDY = "Check [host] database_url, and that the file and its folder exist and are writable."


OPENED = {
    "sqlite:///{folder}/garbage.db": (
        "The database {url} cannot be opened: file is not a database. "
        "Name another file by [host] database_url, or restore a backup: `modhost restore FROM`."
    ),
    "sqlite:///{folder}": (
        f"The database {{url}} cannot be opened: unable to open database file. {FILE_REMEDY}"
    ),
    "sqlite:///{folder}/garbage.db/host.db": (
        "The folder of the database {url} cannot be created: [Errno 17] File exists: "
        f"'{{folder}}/garbage.db'. {FILE_REMEDY}"
    ),
    "postgresql://127.0.0.1:1/db": (
        "The database {url} cannot be reached: [Errno 111] Connect call failed ('127.0.0.1', 1). "
        "Check [host] database_url, and that the server runs and can be reached."
    ),
}


def refusal(command_line: CommandLine, *words: str) -> str:
    run = command_line.run(*words)
    assert isinstance(run.exception, StartupError)
    return str(run.exception).removeprefix("MH502 Database cannot be used: ")


@pytest.mark.parametrize("url", OPENED)
def test_a_database_that_cannot_be_opened_is_reported_with_the_remedy(
    tmp_path: Path, url: str
) -> None:
    (tmp_path / "garbage.db").write_bytes(b"no database " * 100)
    command_line = CommandLine.of(tmp_path, url.format(folder=tmp_path))
    reported = OPENED[url].format(url=url, folder="{folder}").format(folder=tmp_path)
    assert refusal(command_line, "migrate") == reported
    assert refusal(command_line, "tokens", "list") == reported


def test_a_database_that_fails_while_it_is_migrated_is_reported_too(tmp_path: Path) -> None:
    command_line = CommandLine.of(tmp_path, f"sqlite:///{tmp_path}/host.db")
    assert command_line.run("migrate").exit_code == 0
    file = tmp_path / "host.db"
    with closing(sqlite3.connect(file)) as connection:
        root = "SELECT rootpage FROM sqlite_master WHERE name = 'modhost_alembic_version'"
        start = (connection.execute(root).fetchone()[0] - 1) * PAGE_SIZE
    whole = file.read_bytes()
    file.write_bytes(whole[:start] + b"\xff" * PAGE_SIZE + whole[start + PAGE_SIZE :])
    reported = "database disk image is malformed. Restore a backup: `modhost restore FROM`."
    assert refusal(command_line, "migrate") == reported
    assert refusal(command_line, "tokens", "list") == reported
