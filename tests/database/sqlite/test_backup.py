"""A backup is made at any time; one is restored while nothing uses the database, or not at all."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import anyio
import pytest
from click.testing import Result

from cli.command_line import CommandLine
from hosts import host_with
from modhost_background_jobs.contracts import JobId, JobState
from modhost_reports_example.contracts import ReportRequest, ReportType
from modhost_reports_example.jobs import GenerateReportJob
from modhost_reports_example.module import ReportsModule

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("SELECT * FROM modhost_users").fetchall()
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the user `ada`."""
    folder = tmp_path_factory.mktemp("migrated")
    add_user(CommandLine.of(folder, f"sqlite:///{folder}/host.db"), "ada")
    return folder / "host.db"


@pytest.fixture
def file(tmp_path: Path, migrated: Path) -> Path:
    return Path(shutil.copy(migrated, tmp_path))


@pytest.fixture
def command_line(tmp_path: Path, file: Path) -> CommandLine:
    return CommandLine.of(tmp_path, f"sqlite:///{file}")


def add_user(command_line: CommandLine, name: str) -> None:
    added = command_line.run("users", "add", name, given="correct horse battery staple")
    assert added.exit_code == 0, added.output


def users(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute("SELECT name FROM modhost_users ORDER BY name").fetchall()
    return [name for (name,) in rows]


@contextmanager
def held_open(file: Path) -> Iterator[None]:
    """Let another process have the database open."""
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"open\n"
            yield
        finally:
            process.kill()


def kept(result: Result, folder: Path) -> Path:
    """Return the file that a restore has kept."""
    assert result.exit_code == 0, result.output
    (found,) = [each for each in folder.glob("host.db.before-*") if "-wal" not in each.name]
    assert str(found) in result.output
    return found


@pytest.mark.anyio
async def test_a_host_that_works_is_backed_up_as_of_then(tmp_path: Path) -> None:
    file, to = tmp_path / "host.db", tmp_path / "backup.db"
    command_line = CommandLine.of(tmp_path, f"sqlite:///{file}")
    async with host_with(f"sqlite:///{file}", ReportsModule()) as jobs:
        sources = count()

        async def enqueue() -> JobId:
            data = ReportRequest(type=ReportType.MONTHLY, source=f"source {next(sources)}")
            return await jobs.scheduling.enqueue(GenerateReportJob, data)

        before = [await enqueue() for _ in range(20)]
        saving = anyio.to_thread.run_sync(command_line.run, "backup", str(to))
        async with anyio.create_task_group() as group:

            async def go_on() -> None:
                while not to.exists():
                    await enqueue()

            group.start_soon(go_on)
            result = await saving
        after = await enqueue()
    assert result.exit_code == 0, result.output
    assert not list(tmp_path.glob("*.partial"))
    assert command_line.run("restore", str(to)).exit_code == 0
    async with host_with(f"sqlite:///{file}", ReportsModule()) as jobs:
        for job_id in before:
            assert (await jobs.detail(job_id)).state is JobState.PENDING
        assert await jobs.querying.get_job_detail(after) is None


def test_a_backup_is_restored_and_what_was_there_is_kept(
    command_line: CommandLine, file: Path, tmp_path: Path
) -> None:
    file.chmod(0o640)
    assert command_line.run("backup", str(tmp_path / "b.db")).exit_code == 0
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o640
    add_user(command_line, "eve")
    restored = command_line.run("restore", str(tmp_path / "b.db"))
    assert users(kept(restored, tmp_path)) == ["ada", "eve"]
    assert users(file) == users(tmp_path / "b.db") == ["ada"]
    assert command_line.run("doctor").exit_code == 0
    add_user(command_line, "bob")
    assert users(file) == ["ada", "bob"]


def test_a_backup_of_another_page_size_is_restored(
    command_line: CommandLine, file: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "b.db", isolation_level=None)) as other:
        with closing(sqlite3.connect(file)) as source:
            source.backup(other)
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("PRAGMA page_size = 1024")
        other.execute("VACUUM")
    add_user(command_line, "eve")
    assert command_line.run("restore", str(tmp_path / "b.db")).exit_code == 0
    assert users(file) == ["ada"]


def test_a_database_in_use_is_backed_up_and_not_replaced(
    command_line: CommandLine, file: Path, tmp_path: Path
) -> None:
    with held_open(file):
        assert command_line.run("backup", str(tmp_path / "b.db")).exit_code == 0
        refused = command_line.run("restore", str(tmp_path / "b.db"))
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.startswith(f"Error: A process has {file} open")
        assert "Stop every `modhost run`" in refused.stderr
    assert not list(tmp_path.glob("*.before-*"))
    assert command_line.run("restore", str(tmp_path / "b.db")).exit_code == 0


@pytest.mark.parametrize("damage", ["garbage", "malformed", "empty", "missing"])
def test_a_damaged_database_is_replaced(
    command_line: CommandLine, file: Path, tmp_path: Path, damage: str
) -> None:
    assert command_line.run("backup", str(tmp_path / "b.db")).exit_code == 0
    whole = file.read_bytes()
    damaged = {
        "garbage": b"no database " * 1000,
        "malformed": whole[:4096] + b"\xff" * (len(whole) - 4096),
        "empty": b"",
        "missing": None,
    }[damage]
    if damaged is None:
        file.unlink()
    else:
        file.write_bytes(damaged)
    restored = command_line.run("restore", str(tmp_path / "b.db"))
    if damaged is None:
        assert restored.exit_code == 0
        assert "kept" not in restored.output
    elif damaged:
        assert kept(restored, tmp_path).read_bytes() == damaged
    assert users(file) == ["ada"]
    assert command_line.run("doctor").exit_code == 0


def test_what_is_not_a_backup_is_refused_and_nothing_changes(
    command_line: CommandLine, file: Path, tmp_path: Path
) -> None:
    assert command_line.run("backup", str(tmp_path / "b.db")).exit_code == 0
    whole = (tmp_path / "b.db").read_bytes()
    (tmp_path / "half.db").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.db").write_text("not a database" * 100)
    (tmp_path / "empty.db").touch()
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE users (name)")
    before = file.read_bytes()
    for name, reason in {
        "missing.db": "There is no file",
        "half.db": "disk image is malformed",
        "text.db": "file is not a database",
        "empty.db": "is not the database of a host",
        "other.db": "is not the database of a host",
        "host.db": "is the database itself",
    }.items():
        refused = command_line.run("restore", str(tmp_path / name))
        assert refused.exit_code == 1, name
        assert reason in refused.stderr, refused.stderr
        assert "Traceback" not in refused.stderr
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*.before-*"))


def test_a_place_that_takes_no_files_is_named(command_line: CommandLine) -> None:
    refused = command_line.run("backup", "/proc/b.db")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "/proc/b.db.partial: " in refused.stderr
    assert "database_url" not in refused.stderr


def test_a_backup_overwrites_nothing(command_line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "b.db").write_text("mine")
    for to, reason in {"b.db": "is not overwritten", "no/b.db": "There is no folder"}.items():
        refused = command_line.run("backup", str(tmp_path / to))
        assert refused.exit_code == 1
        assert reason in refused.stderr
    assert (tmp_path / "b.db").read_text() == "mine"
    missing = CommandLine.of(tmp_path, f"sqlite:///{tmp_path}/nothing.db")
    refused = missing.run("backup", str(tmp_path / "c.db"))
    assert "There is no database" in refused.stderr
    assert not (tmp_path / "nothing.db").exists()


def test_postgresql_is_left_to_its_own_tools(tmp_path: Path) -> None:
    url = "postgresql://modhost:hush@db.internal:5433/jobs?sslmode=require"
    command_line = CommandLine.of(tmp_path, url)
    saved = command_line.run("backup", "all jobs.dump")
    assert saved.exit_code == 2
    bare = "postgresql://modhost@db.internal:5433/jobs?sslmode=require"
    assert f"`pg_dump --format=custom '--file=all jobs.dump' '{bare}'`" in saved.stderr
    restored = command_line.run("restore", "jobs.dump")
    assert restored.exit_code == 2
    assert f"pg_restore --clean --if-exists --exit-on-error '--dbname={bare}'" in restored.stderr
    assert "hush" not in saved.stderr + restored.stderr


def test_a_configuration_that_is_wrong_backs_up_no_other_database(tmp_path: Path) -> None:
    command_line = CommandLine.of(tmp_path, f"sqlite:///{tmp_path}/host.db", "databse = 1")
    run = command_line.run("backup", str(tmp_path / "b.db"))
    assert "MH202" in str(run.exception)
    assert not (tmp_path / "b.db").exists()
