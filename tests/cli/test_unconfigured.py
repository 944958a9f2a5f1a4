"""A host without a configuration works at once, for one person; `modhost init` writes it down."""

import os
import re
import signal
import tomllib
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest
from click.testing import CliRunner, Result

from modhost.cli.main import cli
from modhost.cli.unconfigured import unconfigured
from modhost.configuration import load_configuration
from modhost.durations import parse_duration
from processes.host_process import HostProcess


def environment(**variables: str) -> dict[str, str]:
    """Return that of the tests without what configures a host, and on a free port."""
    bare = {name: text for name, text in os.environ.items() if not name.startswith("MODHOST")}
    return {**bare, "MODHOST__HOST__BIND": "127.0.0.1:0", **variables}


@pytest.fixture
def modhost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """The command line in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("MODHOST")]:
        monkeypatch.delenv(name)
    return CliRunner()


def run(modhost: CliRunner, *words: str, **variables: str) -> Result:
    return modhost.invoke(cli, words, env=variables)


@pytest.mark.anyio
async def test_it_runs_jobs_and_lets_somebody_in(tmp_path: Path, modhost: CliRunner) -> None:
    started = HostProcess(["run"], environment(), tmp_path / "log")
    try:
        await started.logs(r"^  log in ")
        assert "(web, development)" in started.log
        assert "none was found (config/host.toml)" in started.log
        assert "`modhost init` writes a configuration" in started.log
        assert re.search(r"Worker .* runs up to", started.log)
        assert f"sqlite:///{tmp_path}/var/modhost.db" in started.log
        link = re.search(r"log in +(\S+)", started.log)
        assert link
        async with httpx2.AsyncClient() as client:
            assert (await client.get(link[1])).status_code == 303
            assert (await client.get(f"{started.url}/account")).status_code == 200
        # Other commands in this folder work with the same database.
        listed = await anyio.to_thread.run_sync(run, modhost, "users", "list")
        assert "admin" in listed.output
        started.signal(signal.SIGTERM)
        assert await started.exit_code() == 0
    finally:
        started.kill()
    assert run(modhost, "init").exit_code == 0
    again = HostProcess(["run"], environment(), tmp_path / "again")
    try:
        await again.logs(r"^  log in ")
        assert "none was found" not in again.log
        assert f"sqlite:///{tmp_path}/var/modhost.db" in again.log
        assert re.search(r"Worker .* runs up to", again.log)
    finally:
        again.kill()


def test_a_configuration_is_written_once(modhost: CliRunner, tmp_path: Path) -> None:
    written = run(modhost, "init")
    assert written.output == (
        "Wrote config/host.toml. Edit it, then start the host: `modhost run`.\n"
    )
    text = (tmp_path / "config" / "host.toml").read_text()
    tables = tomllib.loads(text)
    assert tables["host"]["environment"] == "development"
    assert tables["modules"] == {"background_jobs": {"worker_mode": "Consumer"}}
    again = run(modhost, "init")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "config/host.toml exists, and is not overwritten" in again.stderr
    assert (tmp_path / "config" / "host.toml").read_text() == text
    elsewhere = run(modhost, "init", "other/mine.toml")
    assert "`modhost run --config other/mine.toml`" in elsewhere.output
    assert run(modhost, "--config", "other/mine.toml", "config").exit_code == 0
    (tmp_path / "file").touch()
    refused = run(modhost, "init", "file/host.toml")
    assert (refused.exit_code, len(refused.stderr.splitlines())) == (2, 1)


UNCONFIGURED = """
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from modhost import Module, ModuleOptions
from modhost.durations import Duration

class Options(ModuleOptions):
    every: Duration
    values: dict[str, Any]

class Acme(Module):
    name = "acme"
    options = Options
    unconfigured = {
        "every": timedelta(seconds=1000.5),
        "values": {
            "text": 'a "quoted" \\\\ text \U0001f600 and\\n',
            "a key.with = signs": {"kind": "disk", "deep": {"n": 1, "empty": {}}},
            "list": [{"a": 1}, {"a": 2}], "truth": True, "number": 5, "half": 0.5,
            "large": 1e22, "endless": float("inf"),
            "day": date(2026, 1, 2), "at": datetime(2026, 1, 2, 3, 4, 5), "clock": time(6, 7),
            "nothing": None,
        },
    }
"""


def test_options_of_every_kind_are_written_as_they_are_read(
    modhost: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "acme_unconfigured.py").write_text(UNCONFIGURED)
    info = tmp_path / "acme_unconfigured-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[modhost.modules]\nacme = acme_unconfigured:Acme\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert run(modhost, "init").exit_code == 0
    written = unconfigured()["modules"]["acme"]
    tables = tomllib.loads((tmp_path / "config" / "host.toml").read_text())
    read = tables["modules"]["acme"]
    assert parse_duration(read["every"]) == written["every"]
    expected = {key: each for key, each in written["values"].items() if each is not None}
    assert read["values"] == expected
    assert run(modhost, "config").exit_code == 0


def test_what_is_written_is_what_holds_without_it(modhost: CliRunner) -> None:
    def shown() -> list[str]:
        lines = run(modhost, "config").output.splitlines()
        return [re.sub(r"  +\S+( \S+)*$", "", line) for line in lines[1:]]

    before = shown()
    assert run(modhost, "init").exit_code == 0
    assert shown() == before


@pytest.mark.parametrize(
    "variables",
    [
        {"MODHOST__HOST__ENVIRONMENT": "production"},
        {"MODHOST__HOST__DATABASE_URL": "sqlite:///x.db"},
        {"MODHOST__HOST__PUBLIC_URL": "https://jobs.example.org/"},
        {"modhost__host__allowed_hosts": '["jobs.example.org"]'},
    ],
)
def test_a_deployment_by_variables_is_in_production(
    modhost: CliRunner, variables: dict[str, str]
) -> None:
    lines = run(modhost, "config", **variables).output.splitlines()
    (kind,) = [line for line in lines if line.startswith("[host] environment ")]
    assert "production" in kind
    (mode,) = [line for line in lines if line.startswith("[modules.background_jobs] worker_mode")]
    assert "Producer" in mode


def test_a_file_of_its_own_is_not_filled_up(tmp_path: Path) -> None:
    (tmp_path / "host.toml").write_text("")
    assert load_configuration(tmp_path / "host.toml", {}).host.environment == "production"
