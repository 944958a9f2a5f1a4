"""`modhost new module`: what it writes is installed by pip, works, and is clean."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from environments import new_environment
from modhost.cli.main import cli
from sweeps import EXHAUSTIVE


def new_module(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["new", "module", *map(str, words)])


def run(
    *command: str | Path, cwd: Path, seconds: float = 100
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project that a process of its own writes, with no configuration in sight."""
    folder = tmp_path_factory.mktemp("new")
    made = run(sys.executable, "-m", "modhost", "new", "module", "stock_lists", cwd=folder)
    assert made.returncode == 0, made.stderr
    assert "pip install" in made.stdout
    return folder / "stock_lists"


@pytest.fixture(scope="module")
def python(project: Path) -> Path:
    """The interpreter of a new environment, with the module and all that the tests run with."""
    return new_environment(project.parent, project)


# In an application the same tests run, with those of `modhost new app`.
@EXHAUSTIVE
def test_its_own_tests_pass(project: Path, python: Path) -> None:
    # The plugins that this environment shares with ours are none that a new module has.
    options = ("-p", "no:cacheprovider", "-p", "no:schemathesis", "-W", "error")
    tests = run(python, "-m", "pytest", "-q", *options, cwd=project)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "3 passed" in tests.stdout


@pytest.mark.exhaustive
def test_the_host_finds_it_with_its_routes(project: Path, python: Path) -> None:
    config = project.parent / "host.toml"
    config.write_text(f'[host]\ndatabase_url = "sqlite:///{project.parent}/modhost.db"\n')
    modhost = (python, "-m", "modhost", "--config", config)
    listed = run(*modhost, "modules", "--json", cwd=project)
    found = {each["name"]: each["distribution"] for each in json.loads(listed.stdout)}
    assert found["stock_lists"] == "stock-lists"
    routes = json.loads(run(*modhost, "routes", "--json", cwd=project).stdout)
    assert {"/stock-lists", "/api/stock-lists/{job_id}"} <= {each["path"] for each in routes}
    migrated = run(*modhost, "migrate", cwd=project)
    assert "stock_lists went from revision none to 0001" in migrated.stdout, migrated.stderr
    checked = run(*modhost, "doctor", cwd=project)
    assert checked.stdout.endswith("Nothing is wrong.\n"), checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ["stock_lists", "a", "as_long_a_name_as_any_module_can_have_4_u"])
def test_what_it_writes_is_clean(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "project"
    assert new_module(name, "--folder", folder).exit_code == 0
    ruff = (sys.executable, "-m", "ruff")
    checked = run(*ruff, "check", "--no-cache", "--extend-select", "ANN", ".", cwd=folder)
    assert checked.returncode == 0, checked.stdout
    formatted = run(*ruff, "format", "--no-cache", "--check", ".", cwd=folder)
    assert formatted.returncode == 0, formatted.stdout


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Stock", "lower-case letters"),
        ("stock-lists", "lower-case letters"),
        ("../stock", "lower-case letters"),
        ("", "lower-case letters"),
        ("1st", "lower-case letters"),
        ("a" * 42, "at most 41"),
        ("modhost", "taken"),
        ("sqlite", "taken"),
        ("sqlite_cache", "nor with pg_ or sqlite_"),
        ("pg_tools", "nor with pg_ or sqlite_"),
        ("class", "a keyword of Python"),
        ("json", "a package of Python's standard library"),
        ("sqlmodel", "an installed package"),
        ("background_jobs", "an installed module"),
        ("docs", "the host serves /docs itself"),
        ("admin", "the host serves /admin itself"),
        ("login", "the host serves /login itself"),
        ("audit", "the host serves /api/audit itself"),
        ("api", "the host serves /api itself"),
        ("oidc", "the host has a module of that name"),
        ("jobs", "/api/jobs is a prefix of the installed module background_jobs"),
        ("reports", "/reports is a prefix of the installed module reports_example"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    folder = tmp_path / "project"
    refused = new_module(name, "--folder", folder)
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"Error: {name!r}" in refused.stderr
    assert reason in refused.stderr
    assert not folder.exists()


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "notes.txt"
    kept.write_text("kept")
    for taken in (tmp_path, kept):
        refused = new_module("stock_lists", "--folder", taken)
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert f"{taken} already exists" in refused.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]
    assert kept.read_text() == "kept"


def test_a_folder_that_cannot_be_made_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failed = new_module("stock_lists", "--folder", tmp_path / "file" / "project")
    assert (failed.exit_code, failed.stderr.count("\n")) == (1, 1)
    assert str(tmp_path / "file") in failed.stderr
