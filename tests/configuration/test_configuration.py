"""The configuration is read, bound and shown; each mistake is reported with its remedy."""

import sys
from datetime import timedelta
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Annotated, Self

import pytest
from pydantic import Field, model_validator

from configuration.loading import load, only_problem
from modhost import ModuleOptions
from modhost.configuration import Configuration, load_configuration
from modhost.durations import Duration


class Options(ModuleOptions):
    speed: Annotated[int, Field(ge=1)] = 1
    pause: Duration = timedelta(seconds=2)
    names: tuple[str, ...] = ()
    api_key: str = "sesame"


class Leg(ModuleOptions):
    length: Annotated[int, Field(ge=1)]


class Journey(ModuleOptions):
    names: tuple[str, ...] = ()
    legs: tuple[Leg, ...] = ()
    grid: tuple[tuple[Annotated[int, Field(ge=1)], ...], ...] = ()
    sights: dict[str, list[Leg] | None] = Field(default_factory=dict)


class Range(ModuleOptions):
    low: int = 0
    high: int = 9

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            msg = "low is over high"
            raise ValueError(msg)
        return self


def values(configuration: Configuration, **models: type[ModuleOptions]) -> dict[str, object]:
    return {each.key: each.value for each in configuration.in_effect(models)}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever lies in the working directory of the tests."""
    monkeypatch.chdir(tmp_path)


def test_the_file_sets_options_of_host_and_modules(tmp_path: Path) -> None:
    configuration = load(
        tmp_path, '[host]\nbind = "0.0.0.0:80"\n[modules.a]\nspeed = 3\npause = "500ms"\n'
    )
    assert (configuration.host.bind_host, configuration.host.bind_port) == ("0.0.0.0", 80)  # noqa: S104
    options = configuration.bind("a", Options)
    assert options is not None
    assert (options.speed, options.pause) == (3, timedelta(milliseconds=500))
    assert configuration.findings == []


def test_environment_variables_override_the_file(tmp_path: Path) -> None:
    configuration = load(
        tmp_path,
        "[modules.background_jobs]\nspeed = 3\n",
        MODHOST__HOST__BIND="[::1]:0",
        MODHOST__MODULES__BACKGROUND_JOBS__SPEED="4",
        MODHOST__MODULES__BACKGROUND_JOBS__NAMES='["x", "y"]',
        MODHOST__HOST__MODULES__ON_ERROR="skip",
    )
    options = configuration.bind("background_jobs", Options)
    assert options is not None
    assert (options.speed, options.names) == (4, ("x", "y"))
    assert (configuration.host.bind_host, configuration.host.bind_port) == ("::1", 0)
    assert configuration.host.modules.on_error == "skip"


def test_a_bad_value_in_the_environment_names_the_variable(tmp_path: Path) -> None:
    configuration = load(tmp_path, "", MODHOST__HOST__BIND="nowhere")
    problem = only_problem(configuration)
    assert "environment variable MODHOST__HOST__BIND: [host] bind is 'nowhere'" in problem
    assert "write one like '127.0.0.1:8000'" in problem


def test_a_bad_value_in_the_file_names_the_file_the_key_and_the_remedy(tmp_path: Path) -> None:
    configuration = load(tmp_path, '[modules.a]\npause = "soon"\n')
    assert configuration.bind("a", Options) is None
    problem = only_problem(configuration)
    assert f"{tmp_path / 'host.toml'}: [modules.a] pause is 'soon'." in problem
    assert "such as '500ms', '2s', '5m', '1h' or '7d'" in problem


def test_keys_at_odds_name_all_that_set_them(tmp_path: Path) -> None:
    file = "[modules.a]\nlow = 5\nhigh = 9\n"
    mixed = load(tmp_path, file, MODHOST__MODULES__A__HIGH="3")
    mixed.bind("a", Range)
    where = f"{tmp_path / 'host.toml'} and environment variable MODHOST__MODULES__A__HIGH: "
    assert f"{where}[modules.a]: low is over high." in only_problem(mixed)
    variables = load(tmp_path, "", MODHOST__MODULES__A__HIGH="3", MODHOST__MODULES__A__LOW="4")
    variables.bind("a", Range)
    assert "host.toml" not in only_problem(variables)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("[host]\nbehind_tls = 'perhaps'\n", "Write true or false."),
        ("[host]\nmodules = 5\n", "Write a table."),
        ("[host]\nallowed_hosts = 'a'\n", 'Write a list, such as ["a", "b"].'),
        ("[host]\nbind = 80\n", "Write a text, in quotes."),
        ("[host]\nenvironment = 'test'\n", "Write 'development' or 'production'."),
        ("[modules.a]\nspeed = 'fast'\n", "Write a whole number."),
        ("[modules.a]\nspeed = 0\n", "Write a number, 1 or more."),
    ],
)
def test_a_bad_value_is_reported_with_what_to_write(tmp_path: Path, text: str, remedy: str) -> None:
    configuration = load(tmp_path, text)
    configuration.bind("a", Options)
    assert only_problem(configuration).endswith(f". {remedy}")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('names = ["a", 1]', "item 2 of [modules.a] names is 1"),
        ("legs = [{ length = 1 }, { length = 0 }]", "length of item 2 of [modules.a] legs is 0"),
        ("legs = [{}]", "length of item 1 of [modules.a] legs is missing"),
        ("grid = [[1], [1, 0]]", "item 2 of item 2 of [modules.a] grid is 0"),
    ],
)
def test_an_item_of_a_list_is_named_as_people_count(tmp_path: Path, text: str, place: str) -> None:
    configuration = load(tmp_path, f"[modules.a]\n{text}\n")
    assert configuration.bind("a", Journey) is None
    assert f"host.toml: {place}." in only_problem(configuration)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("legs = [{ length = 1, lenth = 2 }]", "lenth of item 1 of [modules.a] legs"),
        (
            "sights.length = [{ length = 1 }, { length = 1, lenth = 2 }]",
            "lenth of item 2 of [modules.a.sights] length",
        ),
    ],
)
def test_an_unknown_key_within_a_list_is_reported_with_a_known_one(
    tmp_path: Path, text: str, place: str
) -> None:
    configuration = load(tmp_path, f"[modules.a]\n{text}\n")
    assert configuration.bind("a", Journey) is None
    reported = only_problem(configuration)
    assert f"host.toml: {place} is not an option. Did you mean 'length'?" in reported


def test_a_list_or_table_in_a_variable_is_reported_as_json(tmp_path: Path) -> None:
    configuration = load(
        tmp_path, "", MODHOST__HOST__ALLOWED_HOSTS="a,b", MODHOST__HOST__MODULES="none"
    )
    of_list, of_table = map(str, configuration.findings)
    assert """as JSON, such as MODHOST__HOST__ALLOWED_HOSTS='["a", "b"]'.""" in of_list
    assert "Or set its keys one by one: MODHOST__HOST__MODULES__<KEY>." in of_table


def test_what_is_in_effect_is_reported_as_it_is_written_with_its_origin(tmp_path: Path) -> None:
    configuration = load(
        tmp_path,
        '[modules.a]\nspeed = 3\nnames = ["x"]\n',
        MODHOST__MODULES__A__SPEED="4",
        MODHOST__MODULES__A__PAUSE="0.5",
    )
    file = str(tmp_path / "host.toml")
    reported = {
        each.key: (each.value, each.origin) for each in configuration.in_effect({"a": Options})
    }
    assert reported["[modules.a] speed"] == (4, "MODHOST__MODULES__A__SPEED")
    assert reported["[modules.a] pause"] == ("500ms", "MODHOST__MODULES__A__PAUSE")
    assert reported["[modules.a] names"] == (["x"], file)
    assert reported["[modules.a] api_key"] == ("***", "default")
    assert reported["[host] shutdown_grace"] == ("45s", "default")


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    configuration = load(tmp_path, "[modules.a]\napi_key = 8675309\n")
    configuration.bind("a", Options)
    assert "8675309" not in only_problem(configuration)
    shown = values(Configuration(), a=Options)
    assert shown["[modules.a] api_key"] == "***"
    url = {"host": {"database_url": "postgresql://me:sesame@host/db"}}
    shown = values(Configuration(url))
    assert shown["[host] database_url"] == "postgresql://me:***@host/db"


class Failing(ModuleOptions):
    regions: dict[str, str] = Field(default_factory=dict)
    api_key: str = ""

    @model_validator(mode="after")
    def _has_a_default(self) -> Self:
        if self.api_key == "exit":
            sys.exit(self.api_key)
        if self.api_key:
            raise RuntimeError(f"{self.api_key} is odd")
        assert self.regions["default"]
        return self


@pytest.mark.parametrize(
    ("api_key", "raised"),
    [("", "KeyError: 'default'"), ("sesame", "RuntimeError: *** is odd"), ("exit", "SystemExit")],
)
def test_a_validator_that_fails_is_reported_with_its_module(
    tmp_path: Path, api_key: str, raised: str
) -> None:
    configuration = load(tmp_path, f"[modules.a]\napi_key = '{api_key}'\n")
    assert configuration.bind("a", Failing) is None
    problem = only_problem(configuration)
    assert f"(module a): {tmp_path}/host.toml: [modules.a]: its validation raised {raised}" in (
        problem
    )
    assert "ValueError" in problem


@pytest.mark.parametrize(
    ("given", "version"),
    [("2026.11.3", "2026.11.3"), ("distribution:modhost", version_of("modhost")), ("", "")],
)
def test_the_version_of_the_application_may_be_that_of_a_distribution(
    tmp_path: Path, given: str, version: str
) -> None:
    assert load(tmp_path, f'[host]\napp_version = "{given}"\n').host.app_version == version


def test_a_distribution_that_is_not_installed_has_no_version(tmp_path: Path) -> None:
    problem = only_problem(load(tmp_path, '[host]\napp_version = "distribution:acme"\n'))
    assert "'distribution:acme' names no distribution that is installed here" in problem


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configuration = load_configuration(None, {})
    assert (configuration.source, configuration.host.environment) == (None, "production")
