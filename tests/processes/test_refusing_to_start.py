"""Errors that prevent a start, as the command line reports them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from processes.forking import run_modhost

GOOD = """
from typing import Protocol

from modhost import Module, ModuleOptions, ServiceCollection, hookimpl
"""

BAD_IMPORT = "import a_package_that_nobody_has"

BAD_OPTION = f"""{GOOD}
class TidyOptions(ModuleOptions):
    days: int = 7

class TidyModule(Module):
    name = "tidy"
    options = TidyOptions
"""

MISSING_CONTRACT = f"""{GOOD}
class Printer(Protocol):
    def print(self) -> None: ...

class Letters:
    def __init__(self, printer: Printer) -> None: ...

class LettersModule(Module):
    name = "letters"

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(Letters)
"""

CYCLE = f"""{GOOD}
class HenModule(Module):
    name = "hen"
    requires = ("egg",)

class EggModule(Module):
    name = "egg"
    requires = ("hen",)
"""

# As the import system of an environment without it.
WITHOUT_DRIVER = """
import sys

class Uninstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "asyncpg":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Uninstalled())
"""

SOURCES = {"broken": BAD_IMPORT, "tidy": BAD_OPTION, "letters": MISSING_CONTRACT, "circle": CYCLE}
ENTRIES = {
    "broken": ["broken = acme_broken:BrokenModule"],
    "tidy": ["tidy = acme_tidy:TidyModule"],
    "letters": ["letters = acme_letters:LettersModule"],
    "circle": ["hen = acme_circle:HenModule", "egg = acme_circle:EggModule"],
}
REPORTED = {
    "broken": ["MH101", "acme-broken", "No module named 'a_package_that_nobody_has'", "disabled"],
    "tidy": ["MH203", "host.toml", "modules.tidy", "days", "'often'"],
    "letters": ["MH301", "acme-letters", "Letters", "Printer"],
    "circle": ["MH107", "hen", "egg"],
}


def refused(folder: Path, *names: str, command: str = "run") -> str:
    """Start a host that has these modules; return what it says while it refuses."""
    entries = folder / "installed"
    for name in names:
        info = entries / f"acme_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (entries / f"acme_{name}.py").write_text(SOURCES[name])
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join(["[modhost.modules]", *ENTRIES[name]]))
    config = folder / "host.toml"
    lines = ["[host]", 'bind = "127.0.0.1:0"', f'database_url = "sqlite:///{folder}/refused.db"']
    if "tidy" in names:
        lines += ["[modules.tidy]", 'days = "often"']
    config.write_text("\n".join(lines))
    environment = {**os.environ, "PYTHONPATH": str(entries)}
    run = run_modhost([command, "--config", str(config)], folder, environment)
    assert run.returncode == 2, run.stdout + run.stderr
    assert run.stdout == ""
    assert "Traceback" not in run.stderr
    assert not (folder / "refused.db").exists()
    return run.stderr


@pytest.mark.parametrize("name", SOURCES)
def test_each_problem_alone_stops_the_start(tmp_path: Path, name: str) -> None:
    reported = refused(tmp_path, name)
    assert reported.startswith("modhost cannot start: 1 problem.\n")
    for part in REPORTED[name]:
        assert part in reported


def test_the_words_of_a_failing_import_end_in_one_full_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SOURCES, "broken", 'raise RuntimeError("It is too early.")')
    assert "raised RuntimeError: It is too early. Fix or" in refused(tmp_path, "broken")


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    reported = refused(tmp_path, *SOURCES, command="worker")
    assert reported.startswith("modhost cannot start: 4 problems.\n")
    assert sorted(re.findall(r"^(MH\d+)", reported, re.MULTILINE)) == [
        "MH101",
        "MH107",
        "MH203",
        "MH301",
    ]
    for parts in REPORTED.values():
        for part in parts:
            assert part in reported


@pytest.mark.parametrize("command", ["run", "migrate", "doctor", "tokens list", "jobs list"])
def test_a_postgresql_without_its_driver_is_one_problem(tmp_path: Path, command: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_DRIVER)
    url = "postgresql://somebody:sesame@localhost/nothing"
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "MODHOST__HOST__DATABASE_URL": url}
    environment.pop("MODHOST_CONFIG", None)
    run = subprocess.run(
        [sys.executable, "-m", "modhost", *command.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment | {"MODHOST__HOST__BIND": "127.0.0.1:0"},
        timeout=100,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == (
        "modhost cannot start: 1 problem.\n\nMH503 Invalid database URL: The database URL is one "
        "of PostgreSQL, but its driver is not installed; run `pip install 'modhost[postgres]'`. "
        "Check [host] database_url.\n"
    )
