"""Secrets, and URLs with passwords, are read from the files that `<option>_file` names."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, SecretStr, field_validator

from cli.command_line import CommandLine
from configuration.loading import load, only_problem
from modhost import ModuleOptions
from modhost.configuration import Configuration

SECRET = "hunter2-4711"


class Smtp(BaseModel):
    host: str = ""
    password: str = ""


class Options(ModuleOptions):
    token: Annotated[SecretStr, Field(min_length=3)] = SecretStr("none")
    api_key: str = Field("", alias="apiKey")
    api_keys: list[str] = Field(default_factory=list)
    broker_url: str = ""
    smtp: Smtp = Smtp()
    name: str = ""
    cert_token: str = ""
    cert_token_file: str = ""

    @field_validator("broker_url")
    @classmethod
    def _has_a_scheme(cls, value: str) -> str:
        if value and "://" not in value:
            raise ValueError(f"{value!r} is not a URL.")
        return value


class Disk(BaseModel):
    kind: Literal["disk"]
    folder: Path


class Bucket(BaseModel):
    kind: Literal["bucket"]
    secret_key: SecretStr = SecretStr("")
    note: str = ""
    labels: dict[str, str] = Field(default_factory=dict)


class Nested(ModuleOptions):
    servers: list[Smtp] = Field(default_factory=list)
    by: dict[str, Smtp] = Field(default_factory=dict)
    groups: dict[str, list[Smtp]] = Field(default_factory=dict)
    maybe: Smtp | None = None
    store: Annotated[Disk | Bucket, Field(discriminator="kind")]


def bound(configuration: Configuration) -> Options:
    options = configuration.bind("a", Options)
    assert options is not None, configuration.findings
    return options


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n", f"\ufeff{SECRET}"])
def test_every_secret_option_may_be_read_from_a_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content, newline="")
    (tmp_path / "keys").write_text(f'["{SECRET}"]\n')
    file = f"""
        [modules.a]
        token_file = "{tmp_path}/secret"
        apiKey_file = "secret"
        broker_url_file = "url"
        smtp = {{ host = "h", password_file = "secret" }}
        cert_token_file = "not read"
    """
    (tmp_path / "url").write_text(f"amqp://u:{SECRET}@h/v\n")
    configuration = load(tmp_path, file, MODHOST__MODULES__A__API_KEYS_FILE="keys")
    options = bound(configuration)
    assert options.token.get_secret_value() == options.api_key == options.smtp.password == SECRET
    assert (options.api_keys, options.broker_url) == ([SECRET], f"amqp://u:{SECRET}@h/v")
    assert (options.cert_token, options.cert_token_file) == ("", "not read")
    shown = {each.key: each for each in configuration.in_effect({"a": Options})}
    assert shown["[modules.a] token"].origin == f"{tmp_path}/secret"
    assert shown["[modules.a.smtp] password"].origin == f"{tmp_path}/secret"
    assert shown["[modules.a] broker_url"].value == "amqp://u:***@h/v"
    assert SECRET not in repr(shown)


def test_only_the_last_newline_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" one\ntwo \n\n")
    options = bound(load(tmp_path, "", MODHOST__MODULES__A__TOKEN_FILE=f"{tmp_path}/secret"))
    assert options.token.get_secret_value() == " one\ntwo \n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('token_file = "missing"', "missing, which cannot be read: No such file or directory."),
        ('token_file = "."', "which cannot be read: Is a directory."),
        ('token_file = "empty"', "empty, which is empty."),
        ('token_file = "latin"', "latin, which is not a text in UTF-8."),
        ('token_file = "a\\u0000"', "token_file has a NUL character."),
        ("token_file = 5", "token_file is 5. Write the path of a file, in quotes."),
        ('token_file = "good"\ntoken = "x"', "token_file is set, and token as well. Keep one"),
        ('apiKey_file = "good"\napiKey = "x"', "apiKey_file is set, and apiKey as well."),
        ('name_file = "good"', "name_file is not an option. Did you mean 'name'?"),
    ],
)
def test_a_file_that_cannot_be_used_is_reported(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "latin").write_bytes(b"\xe9")
    (tmp_path / "good").write_text(SECRET)
    configuration = load(tmp_path, f"[modules.a]\n{line}\n")
    assert configuration.bind("a", Options) is None
    assert words in only_problem(configuration)
    assert "host.toml: [modules.a] " in only_problem(configuration)


def test_a_variable_and_the_file_that_are_at_odds_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    file = "[modules.a]\ntoken_file = 'secret'\n"
    configuration = load(tmp_path, file, MODHOST__MODULES__A__TOKEN="other")
    assert configuration.bind("a", Options) is None
    assert "host.toml and environment variable MODHOST__MODULES__A__TOKEN: " in only_problem(
        configuration
    )


@pytest.mark.parametrize("key", ["token", "broker_url"])
def test_a_bad_value_in_a_file_names_the_file_and_hides_the_value(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret").write_text("x" if key == "token" else f"password={SECRET}")
    configuration = load(tmp_path, f"[modules.a]\n{key}_file = 'secret'\n")
    assert configuration.bind("a", Options) is None
    assert f"the file {tmp_path}/secret: [modules.a] {key} is '***'." in only_problem(configuration)
    assert SECRET not in only_problem(configuration)


def test_the_address_of_the_database_may_be_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text(f"sqlite:///{tmp_path}/in_file.db\n")
    config = tmp_path / "host.toml"
    config.write_text("[host]\ndatabase_url_file = 'url'\n")
    line = CommandLine(config)
    assert line.run("migrate").exit_code == 0
    assert (tmp_path / "in_file.db").exists()
    assert f"sqlite:///{tmp_path}/in_file.db" in line.run("config").stdout
    config.write_text("[host]\ndatabase_url_file = 'no'\n")
    refused = line.run("run")
    assert "MH203" in str(refused.exception)
    assert "which cannot be read" in str(refused.exception)


def test_files_are_read_within_lists_and_tables_and_every_alternative(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    file = """
        [modules.a]
        servers = [{ host = "a" }, { host = "b", password_file = "secret" }]
        by.x = { password_file = "secret" }
        groups.y = [{ password_file = "secret" }]
        maybe = { password_file = "secret" }
        store = { kind = "bucket", secret_key_file = "secret" }
    """
    options = load(tmp_path, file).bind("a", Nested)
    assert options is not None
    assert isinstance(options.store, Bucket)
    assert options.maybe is not None
    inner = (options.servers[1], options.by["x"], options.groups["y"][0], options.maybe)
    assert {each.password for each in inner} == {SECRET}
    assert options.store.secret_key.get_secret_value() == SECRET


def test_variables_name_files_and_options_of_every_alternative(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    start = "MODHOST__MODULES__A__"
    variables = {
        f"{start}BY__Own__PASSWORD_FILE": "secret",
        f"{start}STORE__KIND": "bucket",
        f"{start}STORE__SECRET_KEY_FILE": "secret",
        f"{start}STORE__NOTE": "[1]",
        f"{start}STORE__LABELS__Own": "yes",
    }
    configuration = load(tmp_path, "", **variables)
    options = configuration.bind("a", Nested)
    assert options is not None
    assert isinstance(options.store, Bucket)
    assert options.by["Own"].password == options.store.secret_key.get_secret_value() == SECRET
    assert (options.store.note, options.store.labels) == ("[1]", {"Own": "yes"})
    shown = {each.key: each for each in configuration.in_effect({"a": Nested})}
    assert shown["[modules.a.store] secret_key"].origin == f"{tmp_path}/secret"


def test_a_file_that_cannot_be_used_within_a_list_is_reported_there(tmp_path: Path) -> None:
    file = "[modules.a]\nservers = [{ password_file = 'no' }]\nstore.kind = 'bucket'\n"
    configuration = load(tmp_path, file)
    assert configuration.bind("a", Nested) is None
    assert f"host.toml: password_file of item 1 of [modules.a] servers names {tmp_path}/no, " in (
        only_problem(configuration)
    )
