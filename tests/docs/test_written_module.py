"""The module of the page "Write a module" can be installed with pip, and works."""

import json
import subprocess
from pathlib import Path

import pytest

from docs.pages import files_shown, page
from environments import new_environment


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "acme-wordcount"
    for name, content in files_shown(page("modules/write-a-module.md")).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
    return folder


@pytest.fixture(scope="module")
def python(project: Path) -> Path:
    """The interpreter of a new environment, with the module and all that the tests run with."""
    return new_environment(project.parent, project)


@pytest.mark.exhaustive
def test_its_own_tests_pass(project: Path, python: Path) -> None:
    command: list[str | Path] = [
        python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        # A plugin of the shared environment, which a new module does not have.
        "-p",
        "no:schemathesis",
        "-W",
        "error",
        "tests",
    ]
    run = subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "3 passed" in run.stdout


def test_the_host_finds_it_and_its_command(project: Path, python: Path) -> None:
    config = project / "host.toml"
    config.write_text(
        f'[host]\ndatabase_url = "sqlite:///{project}/modhost.db"\n'
        '[host.modules]\ndisabled = ["reports_example"]\n'
    )
    modhost: list[str | Path] = [python, "-m", "modhost", "--config", config]
    listed = subprocess.run([*modhost, "modules", "--json"], capture_output=True, check=True)
    assert "wordcount" in {each["name"] for each in json.loads(listed.stdout)}
    newest = subprocess.run(
        [*modhost, "wordcount", "newest"], capture_output=True, text=True, check=False
    )
    assert (newest.returncode, newest.stdout) == (0, ""), newest.stderr
