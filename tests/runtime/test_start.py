"""What stops the start: each mistake in words, all of them at once."""

from pathlib import Path

import pytest

from modhost import Module
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from runtime import modules


def problems(*given: Module, **config: object) -> list[str]:
    with pytest.raises(StartupError) as refused:
        build_host(Configuration(config), "web", modules=given)
    return [str(finding) for finding in refused.value.findings]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (modules.Needy(), "MH106", "it requires 'nowhere', which is not there. Install the"),
        (modules.LacksService(), "MH301", "UsesAbsent needs runtime.modules.Absent (parameter"),
        (modules.Forgetful(), "MH108", "configure_services would never be called. Mark it"),
        (modules.Curious(), "MH109", "map_endpoints asks for database. The hook takes endpoints"),
        (
            modules.Misspelt(),
            "MH109",
            "configure_service is not a hook. Did you mean configure_s",
        ),
        (modules.Raising(), "MH110", "configure_services raised RuntimeError: no luck."),
        (
            modules.Wrapping(modules.Slow, slower=1),
            "MH110",
            "Slow'>: missing a required argument: 'slower_than'",
        ),
        (
            modules.Wrapping(modules.Unfinished),
            "MH110",
            "is not an ASGI application: it has no __call__",
        ),
        (modules.Open(), "MH401", "GET /api/open (runtime.modules.nothing) names no permission"),
        (modules.Undeclared(), "MH402", "'Undeclared.See', which no module declares"),
        (modules.Nameless(), "MH103", "the name is 'Not A Name'. Name it with at most"),
    ],
)
def test_a_mistake_is_reported_with_the_module_and_the_remedy(
    given: Module, code: str, words: str
) -> None:
    (problem,) = problems(given)
    assert problem.startswith(code)
    assert words in problem
    assert f"module {given.name}" in problem


def test_a_requirement_that_is_nearly_a_name_is_corrected() -> None:
    misspelt = type("Misspelt", (Module,), {"name": "other", "requires": ("plane",)})()
    (problem,) = problems(modules.Plain(), misspelt)
    assert "Did you mean 'plain'? If not, install the package that brings 'plane'" in problem


def test_modules_that_require_each_other_in_a_circle_are_named() -> None:
    (problem,) = problems(modules.Cyclic(), modules.Circular())
    assert "MH107" in problem
    circle = problem.split(": ", 1)[1]
    assert circle.startswith(
        ("cyclic requires circular requires cyclic.", "circular requires cyclic requires circular.")
    )


def test_two_modules_of_one_name_prefix_or_permission_are_named() -> None:
    (prefix,) = problems(modules.First(), modules.Second())
    assert "'/api/same' is the prefix of first too" in prefix
    (permission,) = problems(modules.First(), modules.Third())
    assert "'Same.Permission' is declared by first and again by third" in permission
    (duplicate,) = problems(modules.Plain(), modules.Plain())
    assert "MH104" in duplicate


def test_all_problems_are_reported_at_once() -> None:
    found = problems(
        modules.Needy(),
        modules.LacksService(),
        modules.Open(),
        modules.Raising(),
        modules.Late(),
        modules.Cyclic(),
        modules.Circular(),
        modules={"late": {"speed": "fast"}, "latte": {}},
    )
    codes = {problem[:5] for problem in found}
    assert codes == {"MH106", "MH107", "MH110", "MH203", "MH204", "MH301", "MH401"}


def test_what_is_missing_because_a_module_is_broken_is_not_reported_too() -> None:
    (problem,) = problems(modules.BadOffer(), modules.UsesOffer(), modules={"bad_offer": {"x": 1}})
    assert "MH202" in problem


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        (
            {"late": {"sped": 1}},
            "MH202",
            "[modules.late] sped is not an option. Did you mean 'speed'?",
        ),
        ({"late": {"speed": "fast"}}, "MH203", "[modules.late] speed is 'fast'."),
        ({"latte": {}}, "MH204", "[modules.latte] configures a module that is not installed"),
    ],
)
def test_a_bad_option_is_reported_with_section_key_and_value(
    config: dict[str, object], code: str, words: str
) -> None:
    (problem,) = problems(modules.Late(), modules=config)
    assert problem.startswith(code)
    assert words in problem


def test_a_disabled_module_that_is_not_installed_is_reported() -> None:
    (problem,) = problems(modules.Late(), host={"modules": {"disabled": ["lite"]}})
    assert problem == (
        "MH204 Configured module is not installed: the configuration: [host.modules] disabled "
        "names 'lite', a module that is not installed. Did you mean 'late'?"
    )


def test_a_disabled_module_is_left_out_and_may_have_a_section() -> None:
    config = {"host": {"modules": {"disabled": ["late"]}}, "modules": {"late": {"speed": 2}}}
    host = build_host(Configuration(config), "web", modules=[modules.Late(), modules.Plain()])
    assert "late" not in [found.module.name for found in host.modules]


def test_a_section_of_an_unknown_module_is_reported_with_its_variable() -> None:
    configuration = Configuration(environ={"MODHOST__MODULES__LATTE__SPEED": "1"})
    with pytest.raises(StartupError, match="environment variable MODHOST__MODULES__LATTE__SPEED"):
        build_host(configuration, "web", modules=[modules.Late()])


def test_a_silenced_rule_stops_nothing() -> None:
    configuration = Configuration({"host": {"silence": ["MH204"]}, "modules": {"gone": {}}})
    assert build_host(configuration, "web", modules=[]).modules[0].module.name == "modhost"


def test_a_bad_database_url_is_reported_without_its_password(tmp_path: Path) -> None:
    (problem,) = problems(host={"database_url": "mysql://me:sesame@host/db"})
    assert "MH503" in problem
    assert "sesame" not in problem
    (problem,) = problems(host={"database_url": "sqlite://"})
    assert "would lose every job" in problem
