"""`modhost new app`: what it writes starts, passes its own tests, is clean, and can be deployed."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from environments import new_environment
from modhost.cli.main import cli
from modhost.runtime.assembly import VERSION
from release.distributions import build
from sweeps import EXHAUSTIVE

ROOT = Path(__file__).parents[2]


def new(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["new", *map(str, words)])


def run(
    *command: str | Path, cwd: Path, seconds: float = 100, **variables: str
) -> "subprocess.CompletedProcess[str]":
    bare = {name: text for name, text in os.environ.items() if not name.startswith("MODHOST")}
    return subprocess.run(
        command,
        cwd=cwd,
        env=bare | variables,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "web_shop"
    written = new("app", "web_shop", "--folder", folder)
    assert written.exit_code == 0, written.output
    return folder


@pytest.fixture(scope="module")
def python(app: Path) -> Path:
    """The interpreter of a new environment, with the application and all that tests run with."""
    return new_environment(app.parent, app)


def test_its_own_tests_pass(app: Path, python: Path) -> None:
    # The plugin that this environment shares with ours is none that a new application has.
    options = ("-p", "no:cacheprovider", "-p", "no:schemathesis")
    tests = run(python, "-m", "pytest", "-q", *options, cwd=app)
    assert tests.returncode == 0, tests.stdout + tests.stderr
    assert "6 passed" in tests.stdout


def test_it_starts_as_its_own_distribution(app: Path, python: Path) -> None:
    listed = run(python, "-m", "modhost", "modules", "--json", cwd=app)
    found = {each["name"]: each["distribution"] for each in json.loads(listed.stdout)}
    assert found["web_shop"] == "web-shop"
    command = [str(python), "-m", "modhost", "run"]
    variables = {**os.environ, "MODHOST__HOST__BIND": "127.0.0.1:0", "MODHOST_CONFIG": ""}
    with subprocess.Popen(command, cwd=app, env=variables, text=True, stdout=-1) as host:
        try:
            printed = next(line for line in host.stdout or () if line.startswith("  address"))
        finally:
            host.terminate()
            code = host.wait(60)
    assert "http://127.0.0.1:" in printed
    assert code == 0
    assert (app / "var" / "web_shop.db").exists()


@pytest.mark.parametrize("name", ["web_shop", "a", "as_long_a_name_as_any_module_can_have_4_u"])
def test_what_it_writes_is_clean(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "app"
    assert new("app", name, "--folder", folder).exit_code == 0
    ruff = (sys.executable, "-m", "ruff")
    checked = run(*ruff, "check", "--no-cache", ".", cwd=folder)
    assert checked.returncode == 0, checked.stdout
    formatted = run(*ruff, "format", "--no-cache", "--check", ".", cwd=folder)
    assert formatted.returncode == 0, formatted.stdout


def test_the_next_module_goes_where_it_is_installed_and_tested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "app"
    assert new("app", "web_shop", "--folder", folder).exit_code == 0
    monkeypatch.chdir(folder)
    written = new("module", "stock_lists")
    assert written.exit_code == 0, written.output
    assert "is in modules/stock_lists. Next steps:\n\n  make test\n  make run\n" in written.stdout
    assert (folder / "modules" / "stock_lists" / "pyproject.toml").exists()
    (folder / ".venv").mkdir()
    planned = run("make", "--dry-run", "test", "check", cwd=folder).stdout
    assert "--editable '.[dev]' --editable modules/stock_lists\n" in planned
    assert "mypy modules/stock_lists/src modules/stock_lists/tests" in planned
    checked = run(sys.executable, "-m", "ruff", "check", "--no-cache", ".", cwd=folder)
    assert checked.returncode == 0, checked.stdout


def check_command(words: list[str], app: Path) -> None:
    """Check that a command is one that there is, with options that it has and files of the app."""
    assert Path(words[0]).name == "modhost"
    command = cli.commands[words[1]]
    assert isinstance(command, click.Command)
    rest = words[2:]
    if "--config" in rest:
        position = rest.index("--config")
        assert (app / rest[position + 1]).exists()
        del rest[position : position + 2]
    command.make_context(words[1], rest)


def test_the_compose_file_has_a_database_a_web_tier_and_two_workers(app: Path) -> None:
    services = yaml.safe_load((app / "compose.yaml").read_text())["services"]
    assert list(services) == ["db", "migrate", "web", "worker"]
    assert services["worker"]["deploy"] == {"replicas": 2}
    needed = set(re.findall(r"\$\{(\w+)\}", (app / "compose.yaml").read_text()))
    assert needed == set(re.findall(r"^(\w+)=", (app / ".env.example").read_text(), re.MULTILINE))
    for service in (services[name] for name in ("migrate", "web", "worker")):
        check_command(shlex.split(service["command"]), app)
        url = service["environment"]["MODHOST__HOST__DATABASE_URL"]
        assert url == "postgresql://web_shop:${DB_PASSWORD}@db/web_shop"


@pytest.mark.parametrize("tier", ["web-shop-web.service", "web-shop-worker@.service"])
def test_the_units_start_what_there_is_and_wait_until_it_is_ready(app: Path, tier: str) -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((app / "deploy" / tier).read_text())
    service = unit["Service"]
    assert (service["Type"], service["User"]) == ("notify", "web_shop")
    check_command(shlex.split(service["ExecStart"]), app)
    configs = re.findall(r"MODHOST_CONFIG=/srv/web-shop/(\S+)", (app / "deploy" / tier).read_text())
    assert [(app / each).exists() for each in configs] == [True]


def test_the_image_runs_as_nobody_special(app: Path) -> None:
    lines = (app / "Dockerfile").read_text().splitlines()
    words = [line.split(maxsplit=1) for line in lines if re.match("[A-Z]+ ", line)]
    assert [rest for word, rest in words if word == "FROM"] == [
        "python:3.12-slim AS build",
        "python:3.12-slim",
    ]
    assert words[-3] == ["USER", "web_shop"]
    check_command(json.loads(words[-1][1]), app)


def test_the_forge_runs_what_the_makefile_has(app: Path) -> None:
    steps = workflow(app)["jobs"]["test"]["steps"]
    run_there = [step["run"] for step in steps if "run" in step]
    assert run_there == ["make check", "make test"]
    assert run("make", "--dry-run", "check", "test", "run", cwd=app).returncode == 0


def workflow(app: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((app / ".github" / "workflows" / "ci.yaml").read_text())
    return read


def test_it_asks_for_the_version_that_wrote_it(app: Path) -> None:
    project = tomllib.loads((app / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == [
        f"modhost[postgres]~={VERSION}",
        f"modhost-background-jobs~={VERSION}",
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Web-Shop", "lower-case letters"),
        ("../web_shop", "lower-case letters"),
        ("", "lower-case letters"),
        ("json", "a package of Python's standard library"),
        ("modhost", "taken"),
        ("background_jobs", "an installed module"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    refused = new("app", name, "--folder", tmp_path / "app")
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"Error: {name!r} cannot be the name of a new application" in refused.stderr
    assert reason in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("kept")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    for taken in ("empty", "file", "gone"):
        refused = new("app", "web_shop", "--folder", tmp_path / taken)
        assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert f"{taken} already exists" in refused.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["empty", "file", "gone"]


@pytest.mark.parametrize("kind", ["app", "module"])
def test_a_disk_that_is_full_leaves_nothing(tmp_path: Path, kind: str) -> None:
    # No file may have more than a kilobyte.
    command = f"ulimit -f 1; {sys.executable} -m modhost new {kind} web_shop"
    failed = run("bash", "-c", command, cwd=tmp_path, PYTHONDONTWRITEBYTECODE="1")
    assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (1, "", 1)
    assert "Cannot write" in failed.stderr
    assert list(tmp_path.iterdir()) == []


@EXHAUSTIVE
@pytest.mark.timeout(600)
def test_make_installs_checks_and_tests_it_with_another_module(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    assert new("app", "web_shop", "--folder", folder).exit_code == 0
    added = run(sys.executable, "-m", "modhost", "new", "module", "stock_lists", cwd=folder)
    assert added.returncode == 0, added.stderr
    for wheel in build(ROOT, tmp_path / "dist"):
        shutil.copy(wheel, folder / "wheels")
    made = run("make", f"PYTHON={sys.executable}", "check", "test", cwd=folder, seconds=500)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "9 passed" in made.stdout
