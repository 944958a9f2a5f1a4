"""A package that lacks templates or static files does not start, and says which."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor, install
from modhost import new_id

SOURCE = """
from modhost import ANYONE, Module, hookimpl
from modhost.web import Page, Pages


async def show() -> Page:
    return Page("show.html", {}, "Show")


async def other() -> Page:
    return Page(template="deep/other.html")


async def of_the_host() -> Page:
    return Page("modhost/base.html")


class Acme(Module):
    name = "NAME"
    view_prefix = "/NAME"

    @hookimpl
    def map_pages(self, pages: Pages) -> None:
        pages.get("/", show, permission=ANYONE)
        pages.get("/other", other, permission=ANYONE)
        pages.get("/host", of_the_host, permission=ANYONE)
"""
BOTH = {
    "templates/show.html": '{% extends "modhost/base.html" %}{% include "part.html" %}',
    "templates/part.html": '{# static("none.css") #}<link href="{{ static("own.css") }}">',
    "templates/deep/other.html": '{% include "absent.html" ignore missing %}',
    "static/own.css": "",
}


def messages(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    files: dict[str, str],
    exits: int = 2,
) -> set[str]:
    name = f"acme{new_id().hex[-12:]}"
    install(tmp_path, monkeypatch, name, SOURCE.replace("NAME", name))
    for path, text in files.items():
        file = tmp_path / "installed" / f"acme_{name}" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "latin-1")
    found = Doctor.of(tmp_path, url).findings(exits=exits)
    assert {(each["code"], each["module"]) for each in found} <= {("MH406", name)}
    return {str(each["message"]).replace(f"acme_{name}", "acme") for each in found}


def test_files_that_are_there_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    assert messages(tmp_path, monkeypatch, sqlite_url, BOTH, exits=0) == set()


def test_a_wheel_without_templates_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    assert messages(tmp_path, monkeypatch, sqlite_url, {}) == {
        "line 7 of acme names the template 'show.html', and templates/ has no such file.",
        "line 11 of acme names the template 'deep/other.html', and templates/ has no such file.",
    }


def test_files_that_templates_name_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    some = {name: text for name, text in BOTH.items() if "part" not in name}
    some["templates/deep/other.html"] = '<script src="{{ static("gone.js") }}"></script>'
    assert messages(tmp_path, monkeypatch, sqlite_url, some) == {
        "the template 'show.html' names the template 'part.html', and templates/ has no such file.",
        "the template 'deep/other.html' names 'gone.js', and static/ has no such file.",
    }


def test_a_template_that_is_not_utf_8_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_url: str
) -> None:
    files = {**BOTH, "templates/part.html": "caf\N{LATIN SMALL LETTER E WITH ACUTE}"}
    (message,) = messages(tmp_path, monkeypatch, sqlite_url, files)
    where, _, reason = message.partition(": ")
    assert where == "the template 'show.html' names the template 'part.html'"
    assert reason.startswith("'utf-8' codec can't decode byte 0xe9 in position 3: ")
