"""What a module's class says is checked before anything is made of it."""

from typing import Any

import pytest

from diagnosis import support
from modhost import Module, ModuleOptions
from modhost.checks import Finding, StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host


class Options(ModuleOptions):
    speed: int = 1


def findings_with(**attributes: Any) -> list[Finding]:
    """Return what a start finds in a module with these attributes."""
    module = type("Probe", (Module,), {"name": "probe", **attributes})()
    configured = {"modules": {"probe": {"speed": 3}}} if "options" in attributes else {}
    try:
        build_host(Configuration(configured), "web", modules=[module])
    except StartupError as error:
        return list(error.findings)
    return []


@pytest.mark.parametrize(
    ("name", "values", "remedy"),
    [
        ("version", [1.0, None], 'such as "1.0.0"'),
        ("route_prefix", [None, 5, ("/api",)], 'such as "/api/reports"'),
        ("view_prefix", [None, ["/x"]], 'such as "/reports"'),
        ("requires", ["modhost", None, (5,), {"modhost": 1}], 'needs a comma: ("name",)'),
        ("options", [Options(), {"speed": 1}, None, Module], "the class itself"),
        ("unconfigured", [None, [1], {1: 2}], "Write a table"),
        ("migrations", [support, None, ("a",)], "Write the name of the package"),
    ],
)
def test_a_value_of_another_type_is_found(name: str, values: list[Any], remedy: str) -> None:
    for value in values:
        (finding,) = findings_with(**{name: value})
        assert (finding.rule.code, finding.module) == ("MH117", "probe")
        assert finding.detail == f"the attribute {name} is {value!r}."
        assert remedy in finding.remedy


@pytest.mark.parametrize("value", [5, None, ("probe",)])
def test_a_name_of_another_type_is_found(value: object) -> None:
    codes = {finding.rule.code for finding in findings_with(name=value)}
    assert codes <= {"MH117", "MH103"}
    assert "MH117" in codes


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("require", "requires"),
        ("dependencies", "requires"),
        ("route_prefx", "route_prefix"),
        ("viewprefix", "view_prefix"),
        ("migration", "migrations"),
        ("option", "options"),
    ],
)
def test_a_misspelt_attribute_is_found(name: str, meant: str) -> None:
    (finding,) = findings_with(**{name: ()})
    assert (finding.rule.code, finding.module) == ("MH118", "probe")
    assert finding.remedy == f"Did you mean {meant!r}?"


def test_attributes_of_its_own_are_right() -> None:
    own = {"route": 1, "DEPENDENCIES": 2, "_require": 3, "requires": [], "colours": ()}
    assert findings_with(**own, options=Options) == []
