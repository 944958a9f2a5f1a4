"""Options that are secret, in what commands print and findings tell."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, SecretStr

from modhost import ModuleOptions
from modhost.configuration import Configuration
from modhost.database import Database, DatabaseUrl

SENTINEL = "hunter2-4711-sentinel"


class ShyOptions(ModuleOptions):
    dsn: Annotated[SecretStr, Field(min_length=3)] = SecretStr(SENTINEL)
    mirrors: list[str] = Field(default_factory=list)
    api_keys: dict[str, int] = Field(default_factory=dict)
    smtp: dict[str, str] = Field(default_factory=dict)


def test_options_are_shown_without_secrets() -> None:
    urls = ("postgresql://u:{}@h/d", " postgresql://u:{}@h/d", "PostgreSQL://u:{}@h/d")
    mirrors = [each.format(SENTINEL) for each in (*urls, "host=h password={} dbname=d")]
    names = [
        "passphrase",
        "smtp_pass",
        "signing_key",
        "auth",
        "Authorization",
        "dsn",
        "http_auth",
        "pass",
    ]
    values = {"mirrors": mirrors, "dsn": SENTINEL, "smtp": dict.fromkeys(names, SENTINEL)}
    configuration = Configuration({"modules": {"shy": values}})
    shown = {each.key: each.value for each in configuration.in_effect({"shy": ShyOptions})}
    assert shown["[modules.shy] dsn"] == "***"
    assert SENTINEL not in repr(shown)


@pytest.mark.parametrize(
    "values",
    [
        {"dsn": [SENTINEL]},
        {"smtp": {"smtp_pass": [SENTINEL]}},
        {"api_keys": {"x": f" MySQL://u:{SENTINEL}@h/d"}},
        {"api_keys": {"a": SENTINEL}},
        {"mirrors": {"password": SENTINEL}},
    ],
)
def test_a_bad_value_is_reported_without_secrets(values: dict[str, Any]) -> None:
    configuration = Configuration({"modules": {"shy": values}})
    assert configuration.bind("shy", ShyOptions) is None
    assert configuration.findings
    assert SENTINEL not in "".join(map(str, configuration.findings))


def test_a_database_url_is_shown_without_its_password_wherever_it_stands() -> None:
    for url in (f"postgresql://u:{SENTINEL}@h/d", f"postgresql://u@h/d?password={SENTINEL}"):
        shown = f"{DatabaseUrl.parse(url)} {Database(url)!r}"
        assert SENTINEL not in shown
        assert "@h/d" in shown


@pytest.mark.parametrize("command", [["config"], ["config", "--json"], ["doctor"], ["run"]])
def test_no_command_prints_the_password_of_the_database(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "host.toml"
    file.write_text(f'[host]\ndatabase_url = "postgresql://u:{SENTINEL}@127.0.0.1:1/d"\n')
    modhost = [sys.executable, "-m", "modhost", "--config", str(file), *command]
    run = subprocess.run(modhost, capture_output=True, text=True, timeout=60, check=False)
    assert SENTINEL not in run.stdout + run.stderr
    assert "127.0.0.1:1" in run.stdout + run.stderr
