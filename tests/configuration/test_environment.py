"""Environment variables set options by their types and the names that are accepted."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, Json, SecretStr

from configuration.loading import load, only_problem
from modhost import Module, ModuleOptions
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host


class Group(BaseModel):
    rights: tuple[str, ...] = ()
    Note: str = ""


class Options(ModuleOptions):
    text: str = ""
    maybe: str | None = None
    secret: SecretStr = SecretStr("")
    json_text: Json[list[int]] = Field(default_factory=list)
    many: list[str] = Field(default_factory=list)
    one_or_many: str | list[str] = ""
    anything: Any = None
    number: int | None = 3
    roles: dict[str, list[str]] = Field(default_factory=dict)
    groups: dict[str, Group] = Field(default_factory=dict)
    group: Group | None = None
    a__b: int = 0


class Aliased(ModuleOptions):
    max_size: int = Field(1, alias="maxSize")
    key: str = Field("", validation_alias=AliasChoices("apiKey", "api_key"))
    both: int = Field(0, alias="theBoth")

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)


class Renamed(ModuleOptions):
    max_size: int = Field(1, alias="maxSize")
    inner: Group = Group()


def bound(**variables: str) -> Options:
    environ = {f"MODHOST__MODULES__A__{name}": text for name, text in variables.items()}
    configuration = Configuration(environ=environ)
    options = configuration.bind("a", Options)
    assert options is not None, configuration.findings
    return options


@pytest.mark.parametrize("text", ['{"a": 1}', "[1, 2]", "[x", "null", "{}", "5"])
def test_a_text_stays_a_text(text: str) -> None:
    options = bound(TEXT=text, MAYBE=text, SECRET=text)
    assert (options.text, options.secret.get_secret_value()) == (text, text)
    assert options.maybe == text


def test_json_is_read_where_the_option_takes_it() -> None:
    options = bound(
        JSON_TEXT="[1, 2]",
        MANY='["a", "{b}"]',
        ONE_OR_MANY='["a"]',
        ANYTHING='{"a": [1]}',
        NUMBER="null",
        GROUP='{"rights": ["x"]}',
    )
    assert options.json_text == [1, 2]
    assert options.many == ["a", "{b}"]
    assert options.one_or_many == ["a"]
    assert options.anything == {"a": [1]}
    assert options.number is None
    assert options.group == Group(rights=("x",))


def test_keys_of_a_table_keep_their_case() -> None:
    options = bound(ROLES__Admins='["all"]', GROUPS__Night_Shift__RIGHTS='["x"]', A__B="4")
    assert options.roles == {"Admins": ["all"]}
    assert options.groups == {"Night_Shift": Group(rights=("x",))}
    assert options.a__b == 4
    assert bound(GROUPS__x__NOTE='{"a"}').groups["x"].Note == '{"a"}'


def test_a_key_in_the_file_is_overridden_whatever_the_case_of_the_variable(tmp_path: Path) -> None:
    file = "[modules.a.roles]\nAdmins = ['some']\n"
    configuration = load(tmp_path, file, MODHOST__MODULES__A__ROLES__ADMINS='["all"]')
    options = configuration.bind("a", Options)
    assert options is not None
    assert options.roles == {"Admins": ["all"]}
    origins = {each.key: each.origin for each in configuration.in_effect({"a": Options})}
    assert origins["[modules.a.roles] Admins"] == "MODHOST__MODULES__A__ROLES__ADMINS"


@pytest.mark.parametrize("variable", ["KEY", "APIKEY", "API_KEY"])
def test_an_aliased_option_is_set_by_each_accepted_name(variable: str) -> None:
    environ = {"MODHOST__MODULES__A__MAXSIZE": "5", f"MODHOST__MODULES__A__{variable}": "k"}
    options = Configuration(environ=environ).bind("a", Aliased)
    assert options is not None
    assert (options.max_size, options.key) == (5, "k")


def test_an_aliased_option_is_shown_and_suggested_by_what_is_accepted(tmp_path: Path) -> None:
    configuration = load(tmp_path, "[modules.a]\nmaxSize = 2\n")
    shown = {each.key: each.value for each in configuration.in_effect({"a": Renamed})}
    assert shown["[modules.a] maxSize"] == 2
    wrong = load(tmp_path, "[modules.a]\nmax_size = 2\n")
    wrong.bind("a", Renamed)
    assert only_problem(wrong).endswith("max_size is not an option. Did you mean 'maxSize'?")
    wrong = load(tmp_path, "", MODHOST__MODULES__A__MAXSIZE="many")
    wrong.bind("a", Renamed)
    assert "variable MODHOST__MODULES__A__MAXSIZE: [modules.a] maxSize is 'many'" in only_problem(
        wrong
    )


def test_two_variables_of_one_key_are_refused() -> None:
    configuration = Configuration(
        environ={"MODHOST__HOST__BIND": "a:1", "modhost__host__bind": "b:2"}
    )
    assert "both set [host] bind. Unset one of the two." in only_problem(configuration)


@pytest.mark.parametrize("name", ["my__module", "module_", "_module"])
def test_a_module_that_no_variable_can_name_is_refused(name: str) -> None:
    module = type("Odd", (Module,), {"name": name})
    with pytest.raises(StartupError, match="without two underscores in a row") as refused:
        build_host(Configuration(), "command", modules=[module()])
    assert "MH103" in str(refused.value)


def test_a_byte_order_mark_in_the_file_is_left_out(tmp_path: Path) -> None:
    file = '\ufeff[host]\nlog_level = "ERROR"\n'
    assert load(tmp_path, file).host.log_level == "ERROR"
