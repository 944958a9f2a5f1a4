"""The plugin, as pytest finds it: the page about it works, on both databases and in parallel."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import files_shown, page
from modhost.checks import StartupError
from modhost.testing import MovableClock
from modhost.testing.setup import HostSetup
from postgres import Postgres
from sweeps import EXHAUSTIVE

OPTIONS = (
    *("-q", "-W", "error", "--strict-markers", "--import-mode=importlib"),
    *("-p", "no:schemathesis", "-p", "no:cacheprovider"),
)
UNUSED = """
import sys, modhost_pytest, modhost_background_jobs.pytest_plugin
print({name.partition(".")[0] for name in sys.modules} & {"modhost", "sqlalchemy", "anyio"})
"""
WRONG_MODE = """
import pytest

@pytest.mark.jobs("eager")
def test_it(jobs): ...
"""
UNMARKED = """
async def test_it(host): ...
"""
CLASS_OF_MODULE = """
import pytest
from modhost import Module

class ParcelsModule(Module):
    name = "parcels"

@pytest.fixture
def modhost_modules():
    return [ParcelsModule]

def test_it(host): ...
"""
REFUSED = {
    "unmarked": (UNMARKED, "an `async def` needs an event loop: mark it with @pytest.mark.anyio."),
    "class": (CLASS_OF_MODULE, "ParcelsModule'>; pass ParcelsModule(), an instance."),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the files of the page."""
    for name, content in files_shown(page("modules/testing.md")).items():
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return tmp_path


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=EXHAUSTIVE)])
def test_the_examples_of_the_page_pass(
    kind: str,
    project: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        monkeypatch.setenv("MODHOST_TEST_DATABASE_URL", server.url)
    # In this process, which has imported what the plugin needs.
    code = pytest.main([*OPTIONS, str(project)])
    written = capfd.readouterr().out
    assert code is pytest.ExitCode.OK, written
    assert "8 passed" in written


@pytest.mark.exhaustive
def test_the_examples_pass_in_parallel(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", *OPTIONS, "-n", "2", str(project)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert "8 passed" in run.stdout, run.stdout + run.stderr


def test_the_host_of_a_fixture_may_be_stopped_by_another_task() -> None:
    """As with pytest-asyncio, which runs the two halves of a fixture in two tasks."""
    context = HostSetup([], {}, MovableClock()).running()
    with asyncio.Runner() as runner:
        host = runner.run(context.__aenter__())
        assert runner.run(host.token("*"))
        runner.run(context.__aexit__(None, None, None))


def test_a_host_that_does_not_start_says_why() -> None:
    context = HostSetup([], {"modules": {"none": {}}}, MovableClock()).running()
    with asyncio.Runner() as runner, pytest.raises(StartupError, match="MH"):
        runner.run(context.__aenter__())


def test_a_mode_that_is_none_is_refused(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = project / "test_mode.py"
    file.write_text(WRONG_MODE)
    assert pytest.main([*OPTIONS, str(file)]) is pytest.ExitCode.TESTS_FAILED
    refusal = "jobs('eager') names no mode: give one of held, inline, worker."
    assert refusal in capfd.readouterr().out


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_in_a_test_is_named(
    mistake: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, refusal = REFUSED[mistake]
    file = tmp_path / f"test_{mistake}.py"
    file.write_text(source)
    assert pytest.main([*OPTIONS, str(file)]) is pytest.ExitCode.TESTS_FAILED
    written = capfd.readouterr().out
    assert refusal in written
    assert "_modhost_running" not in written


def test_who_does_not_use_it_imports_nothing() -> None:
    run = subprocess.run(
        [sys.executable, "-c", UNUSED], capture_output=True, text=True, timeout=60, check=True
    )
    assert run.stdout.strip() == "set()", run.stderr
