"""Relative paths start at the configuration file and stay where they are."""

import os
from pathlib import Path

import pytest
from pydantic import Field

from background_jobs.hosts import computing_host
from background_jobs.process_module import ComputingJob, Task
from cli.command_line import CommandLine
from modhost import ModuleOptions
from modhost.configuration import Configuration, load_configuration
from modhost.database import Database
from modhost_background_jobs.contracts import JobState

RELATIVE = '[host]\ndatabase_url = "sqlite:///var/jobs.db"\n[modules.a]\nfolder = "files"\n'


class Options(ModuleOptions):
    folder: Path = Path("own")
    other: Path = Path("/elsewhere")
    more: dict[str, list[Path]] = Field(default_factory=lambda: {"a": [Path("x")]})
    unordered: set[Path] = Field(default_factory=lambda: {Path("y")})
    frozen: frozenset[Path] = frozenset({Path("z")})


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(("place", "start"), [("a", "a"), ("a/config", "a")])
def test_a_relative_path_starts_at_the_configuration_file(
    tmp_path: Path, elsewhere: Path, place: str, start: str
) -> None:
    file = tmp_path / place / "host.toml"
    file.parent.mkdir(parents=True)
    file.write_text(RELATIVE)
    for path in (file, Path(os.path.relpath(file))):
        configuration = load_configuration(path, {})
        assert configuration.host.database_url == f"sqlite:///{tmp_path}/{start}/var/jobs.db"
        options = configuration.bind("a", Options)
        assert options is not None
        assert (options.folder, options.other) == (tmp_path / start / "files", Path("/elsewhere"))
        assert options.more == {"a": [tmp_path / start / "x"]}
        assert options.unordered == {tmp_path / start / "y"}
        assert options.frozen == {tmp_path / start / "z"}


def test_commands_from_two_folders_use_one_database_and_print_its_whole_path(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "host.toml"
    file.write_text(RELATIVE.partition("[modules")[0])
    line = CommandLine(file)
    assert line.run("migrate").exit_code == 0
    assert line.run("users", "add", "ada", given="correct horse battery\n").exit_code == 0
    monkeypatch.chdir(tmp_path)
    assert "ada" in CommandLine(Path("host.toml")).run("users", "list").stdout
    assert f"sqlite:///{tmp_path}/var/jobs.db" in line.run("config").stdout
    assert list(elsewhere.iterdir()) == []


def test_without_a_file_paths_start_at_the_working_directory(elsewhere: Path) -> None:
    assert load_configuration(None, {}).host.database_url == f"sqlite:///{elsewhere}/var/modhost.db"
    assert str(Database("sqlite:///x.db")) == f"sqlite:///{elsewhere}/x.db"


def test_a_database_that_only_the_working_directory_has_is_not_replaced_by_an_empty_one(
    tmp_path: Path, elsewhere: Path
) -> None:
    file = tmp_path / "host.toml"
    file.write_text("[host]\ndatabase_url = 'sqlite:///jobs.db'\n")
    (elsewhere / "jobs.db").touch()
    (finding,) = load_configuration(file, {}).findings
    assert f"leads to {tmp_path}/jobs.db, which does not exist, while {elsewhere}/jobs.db does" in (
        finding.detail
    )
    (tmp_path / "jobs.db").touch()
    assert load_configuration(file, {}).findings == []


@pytest.mark.anyio
async def test_processes_of_jobs_use_the_same_file_after_a_change_of_directory(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").mkdir()
    async with computing_host("sqlite:///jobs.db", tmp_path / "results") as jobs:
        monkeypatch.chdir(tmp_path)
        job = await jobs.ends(await jobs.scheduling.enqueue(ComputingJob, Task()))
    assert job.state is JobState.COMPLETED, job.error
    assert (elsewhere / "jobs.db").exists()
    assert not (tmp_path / "jobs.db").exists()


def test_a_configuration_made_in_code_starts_where_it_is_made(elsewhere: Path) -> None:
    url = Configuration({"host": {"database_url": "sqlite:///x.db"}}).host.database_url
    assert url == f"sqlite:///{elsewhere}/x.db"
