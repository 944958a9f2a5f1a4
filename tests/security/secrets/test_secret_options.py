"""Options that are secret, in what commands print and findings tell."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, SecretStr

from cli.command_line import CommandLine
from modhost import ModuleOptions
from modhost.configuration import Configuration
from modhost.database import Database, DatabaseUrl
from processes.forking import run_modhost

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


def test_a_database_url_is_shown_without_its_password() -> None:
    url = f"postgresql://u:{SENTINEL}@h/d"
    assert f"{DatabaseUrl.parse(url)} {Database(url)!r}".count("postgresql://u:***@h/d") == 2


URLS = {
    "amqp://u:a@{}@h/v": "amqp://***@h/v",
    "amqp://u:a/{}@h/v": "amqp://***@h/v",
    "amqp://u:a?password={}@h/v": "amqp://***@h/v",
    "amqp://u:{}@h1,amqp://u:{}@h2": "amqp://***@h2",
    "https://{}@h/v": "https://***@h/v",
    "redis://:{}@h/0": "redis://:***@h/0",
    "postgresql://u@h/d?sslmode=require&sslpassword={}": (
        "postgresql://u@h/d?sslmode=require&sslpassword=***"
    ),
    "https://h/v?key={}&sig={}&x=1#access_token={}": (
        "https://h/v?key=***&sig=***&x=1#access_token=***"
    ),
    "jdbc:sqlserver://h;user=u;password={}": "jdbc:sqlserver://h;user=u;password=***",
    "AccountName=u;AccountKey={};Suffix=x": "***",
    "host=h sslpassword='{} x'": "***",
}


@pytest.mark.parametrize("written", URLS)
def test_secrets_within_a_text_are_hidden_and_the_rest_is_shown(written: str) -> None:
    values = {"modules": {"shy": {"mirrors": [written.replace("{}", SENTINEL)]}}}
    shown = {each.key: each.value for each in Configuration(values).in_effect({"shy": ShyOptions})}
    assert shown["[modules.shy] mirrors"] == [URLS[written]]


@pytest.mark.parametrize("command", [["config"], ["doctor"], ["doctor", "--json"], ["run"]])
@pytest.mark.parametrize("form", ["u:a@{}@h/d", "u:a/{}@h/d", "u@h/d?password={}", "u:{}/d"])
def test_an_address_that_is_refused_is_nowhere_shown(
    tmp_path: Path, command: list[str], form: str
) -> None:
    run = CommandLine.of(tmp_path, f"postgresql://{form.format(SENTINEL)}").run(*command)
    shown = f"{run.output}{run.exception}"
    assert "MH503" in shown
    assert SENTINEL not in shown


@pytest.mark.parametrize("command", [["config"], ["config", "--json"], ["doctor"], ["run"]])
def test_no_command_prints_the_password_of_the_database(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "host.toml"
    url = f"postgresql://u:{SENTINEL}@127.0.0.1:1/d"
    file.write_text(f'[host]\ndatabase_url = "{url}"\nbind = "127.0.0.1:0"\nstart_wait = "1s"\n')
    run = run_modhost(["--config", str(file), *command], tmp_path)
    assert SENTINEL not in run.stdout + run.stderr
    assert "127.0.0.1:1" in run.stdout + run.stderr
