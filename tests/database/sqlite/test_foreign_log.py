"""A write-ahead log beside a database that it does not belong to is found before it does harm."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from cli.command_line import CommandLine
from database.sqlite.test_backup import add_user, users

WRITER = """
import os, random, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA wal_autocheckpoint = 0")
row = connection.execute("SELECT * FROM modhost_audit").fetchone()
marks = ", ".join("?" * len(row))
for number in range(500):
    values = [os.urandom(16).hex(), *row[1:-1], "x" * random.randrange(900)]
    connection.execute(f"INSERT INTO modhost_audit VALUES ({marks})", values)
if sys.argv[2] == "killed":
    os._exit(9)
connection.close()
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database whose last writer was killed, and with earlier backups of it."""
    folder = tmp_path_factory.mktemp("prepared")
    file = folder / "host.db"
    command_line = CommandLine.of(folder, f"sqlite:///{file}")
    add_user(command_line, "ada")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("VACUUM INTO ?", (str(folder / "vacuumed.db"),))
        with closing(sqlite3.connect(folder / "copied.db")) as copy:
            connection.backup(copy)
    assert command_line.run("backup", str(folder / "saved.db")).exit_code == 0
    add_user(command_line, "eve")
    for end, code in (("closed", 0), ("killed", 9)):
        command = [sys.executable, "-c", WRITER, str(file), end]
        assert subprocess.run(command, check=False).returncode == code
    assert (folder / "host.db-wal").stat().st_size > 0
    return folder


@pytest.fixture
def file(tmp_path: Path, prepared: Path) -> Path:
    for each in prepared.glob("*.db*"):
        shutil.copy(each, tmp_path)
    return tmp_path / "host.db"


@pytest.fixture
def command_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.chdir(file.parent)
    return CommandLine.of(file.parent, f"sqlite:///{file}")


def test_the_log_of_a_killed_process_is_its_own(command_line: CommandLine, file: Path) -> None:
    assert command_line.run("doctor").exit_code == 0
    assert "eve" in users(file)


@pytest.mark.parametrize("backup", ["vacuumed.db", "saved.db", "copied.db"])
@pytest.mark.parametrize("command", ["migrate", "doctor", "users list", "backup x.db"])
def test_it_is_found_beside_a_backup_that_was_copied(
    command_line: CommandLine, file: Path, tmp_path: Path, backup: str, command: str
) -> None:
    shutil.copy(tmp_path / backup, file)
    log = (tmp_path / "host.db-wal").read_bytes()
    run = command_line.run(*command.split())
    assert run.exit_code != 0
    reported = run.output + str(run.exception)
    for word in ("MH502", "host.db-wal does not belong to", "delete", "modhost restore FROM"):
        assert word in reported
    assert (tmp_path / "host.db-wal").read_bytes() == log
    assert file.read_bytes() == (tmp_path / backup).read_bytes()


@pytest.mark.parametrize("backup", ["vacuumed.db", "saved.db", "copied.db"])
def test_what_is_advised_helps(
    command_line: CommandLine, file: Path, tmp_path: Path, backup: str
) -> None:
    shutil.copy(tmp_path / backup, file)
    restored = command_line.run("restore", str(tmp_path / backup))
    assert restored.exit_code == 0, restored.output
    assert "eve" not in users(file)
    assert command_line.run("doctor").exit_code == 0

    shutil.copy(tmp_path / "saved.db", file)
    for beside in ("host.db-wal", "host.db-shm"):
        (tmp_path / beside).unlink(missing_ok=True)
    assert command_line.run("doctor").exit_code == 0
    assert "eve" not in users(file)
