"""Every rule is explained, under its code and its title."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import modhost
import modhost_background_jobs
import modhost_reports_example
from docs.pages import headings, page, section
from modhost.checks import Rule, rules

PAGE = page("rules.md")
EXPLAINED = [heading for heading in headings(PAGE) if re.match(r"MH\d", heading)]


def all_rules() -> Iterator[Rule]:
    """Yield the rules of the host, and those that modules define."""
    for package in (modhost, modhost_background_jobs, modhost_reports_example):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__") or ".migrations.versions." in found.name:
                continue
            module = importlib.import_module(found.name)
            yield from (each for each in vars(module).values() if isinstance(each, Rule))


def test_every_rule_is_explained_and_no_other() -> None:
    assert set(EXPLAINED) == {f"{rule.code} {rule.title}" for rule in all_rules()}
    assert len(EXPLAINED) == len(set(EXPLAINED))


def test_no_two_rules_have_one_code() -> None:
    known = set(all_rules())
    assert len({rule.code for rule in known}) == len(known)
    assert set(rules.ALL) <= known


@pytest.mark.parametrize("heading", EXPLAINED)
def test_an_explanation_is_more_than_the_title(heading: str) -> None:
    assert len(section(PAGE, heading).split()) > 10
