"""What a model of settings may hold is checked at start."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr, create_model, field_validator

from modhost import Module, ModuleOptions, ModuleSettings, ServiceCollection, Settings, hookimpl
from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host


class Inner(BaseModel):
    size: int = 1


def findings(
    model: Any, options: type[BaseModel] = ModuleOptions, **configured: Any
) -> list[Finding]:
    """Return what a start finds in a module with these settings."""
    attributes = {"name": "probe", "settings": model, "options": options}
    module = type("Probe", (Module,), attributes)()
    try:
        build_host(Configuration({"modules": {"probe": configured}}), "web", modules=[module])
    except StartupError as error:
        return list(error.findings)
    return []


@pytest.mark.parametrize(
    ("annotation", "default", "reason"),
    [
        (SecretStr, SecretStr(""), "is a secret"),
        (str, Field("", alias="other"), "has an alias"),
        (int, ..., "has no default"),
        (Inner, Inner(), "no form has a field"),
        (dict[str, int], {}, "no form has a field"),
        (list[Inner], [], "no form has a field"),
        (int | str, 1, "no form has a field"),
        (bytes, b"", "no form has a field"),
        (Path, Path("x"), "no form has a field"),
        (int, Field(5, ge=10), "does not take its own default"),
    ],
)
def test_a_field_that_nobody_could_change_is_found(
    annotation: Any, default: Any, reason: str
) -> None:
    model = create_model("Probed", __base__=ModuleSettings, probed=(annotation, default))
    (finding,) = findings(model)
    assert (finding.rule.code, finding.module) == ("MH119", "probe")
    assert finding.detail.startswith("Probed.probed ")
    assert reason in finding.detail
    assert finding.remedy


def test_a_secret_is_found_by_its_name() -> None:
    model = create_model("Probed", __base__=ModuleSettings, api_key=(str, ""))
    (finding,) = findings(model)
    assert "is a secret" in finding.detail


@pytest.mark.parametrize("value", [Inner, Inner(), {"size": 1}, "settings"])
def test_anything_but_a_model_of_settings_is_found(value: object) -> None:
    (finding,) = findings(value)
    assert (finding.rule.code, finding.remedy) == (
        "MH117",
        "Write a subclass of ModuleSettings, the class itself.",
    )


def test_an_option_of_the_name_of_the_table_is_found() -> None:
    model = create_model("Probed", __base__=ModuleSettings, size=(int, 1))
    options = create_model("Options", __base__=ModuleOptions, settings=(dict[str, int], {}))
    (finding,) = findings(model, options)
    assert (finding.rule.code, finding.remedy) == ("MH119", "Rename the option.")
    assert findings(None, options, settings={"size": 3}) == []


def test_a_table_of_settings_that_nothing_reads_is_found() -> None:
    (finding,) = findings(None, settings={"size": 3})
    assert (finding.rule.code, finding.module) == ("MH202", "probe")
    assert "[modules.probe.settings] is unknown" in finding.detail


def test_the_environment_sets_a_setting() -> None:
    model = create_model("Probed", __base__=ModuleSettings, size=(int, 1), names=(list[str], []))
    for environ in (
        {"MODHOST__MODULES__PROBE__SETTINGS__SIZE": "7"},
        {"MODHOST__MODULES__PROBE__SETTINGS": '{"size": 7}'},
    ):
        configuration = Configuration(environ=environ)
        bound = configuration.bind_settings("probe", model)
        assert model.model_validate(bound.table).model_dump() == {"size": 7, "names": []}
        assert bound.origins["size"] == ("environment", next(iter(environ)))
        assert "names" not in bound.origins
        assert configuration.bind("probe", ModuleOptions) is not None
        assert configuration.findings == []
    configuration = Configuration(environ={"MODHOST__MODULES__PROBE__SETTINGS__SIZE": "x"})
    configuration.bind_settings("probe", model)
    (finding,) = configuration.findings
    assert "variable MODHOST__MODULES__PROBE__SETTINGS__SIZE" in finding.detail


def test_settings_that_nobody_declares_are_a_missing_service() -> None:
    class Lost(ModuleSettings):
        size: int = 1

    class Needs:
        def __init__(self, settings: Settings[Lost]) -> None:
            self.settings = settings

    class Probe(Module):
        name = "probe"

        @hookimpl
        def configure_services(self, services: ServiceCollection) -> None:
            services.add_singleton(Needs)

    with pytest.raises(StartupError, match=r"MH301.*Settings\[.*Lost\]"):
        build_host(Configuration(), "web", modules=[Probe()])


class Failing(ModuleSettings):
    probed: int = 1

    @field_validator("probed")
    @classmethod
    def _of_a_table(cls, value: int) -> int:
        return {2: 2}[value]


def test_a_validator_that_fails_is_found() -> None:
    (finding,) = findings(Failing)
    assert (finding.rule.code, finding.module) == ("MH119", "probe")
    assert "Failing.probed cannot be validated: that raised KeyError: 1." in finding.detail
    assert "ValueError" in finding.remedy
