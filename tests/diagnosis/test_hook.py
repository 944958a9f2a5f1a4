"""Modules add their own checks to the doctor's."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor, install

SOURCE = """
from modhost import Module, hookimpl
from modhost.checks import Finding, Rule

LOST = Rule("DSK101", "Key is lost")
LOOSE = Rule("DSK102", "Handle is loose", "warning")


class Acme(Module):
    name = "desk"

    @hookimpl
    async def diagnose(self, scope):
        BODY
"""


def doctor_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, url: str, body: str, lines: str = ""
) -> Doctor:
    install(folder, monkeypatch, "desk", SOURCE.replace("BODY", body))
    return Doctor.of(folder, url, lines).migrate()


def test_what_a_module_finds_is_reported_with_its_distribution(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = 'return [Finding(LOOSE, "it wobbles.", "Fix it."), Finding(LOST, "a.", "Look.")]'
    doctor = doctor_of(tmp_path, monkeypatch, sqlite_url, body)
    assert doctor.findings(exits=1) == [
        {
            "code": "DSK101",
            "title": "Key is lost",
            "severity": "error",
            "module": "desk",
            "distribution": "acme-desk",
            "message": "a.",
            "remedy": "Look.",
        },
        {
            "code": "DSK102",
            "title": "Handle is loose",
            "severity": "warning",
            "module": "desk",
            "distribution": "acme-desk",
            "message": "it wobbles.",
            "remedy": "Fix it.",
        },
    ]
    reported = doctor.modhost("doctor").stdout
    assert "warning: DSK102 Handle is loose (module desk, distribution acme-desk): it w" in reported
    assert reported.endswith("Found 1 error, 1 warning.\n")
    silent = Doctor.of(tmp_path, sqlite_url, 'silence = ["DSK101"]')
    assert [each["code"] for each in silent.findings(exits=0)] == ["DSK102"]


@pytest.mark.parametrize("body", ["return []", "return None"])
def test_a_module_that_finds_nothing_is_right(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    assert doctor_of(tmp_path, monkeypatch, sqlite_url, body).findings(exits=0) == []


def test_a_hook_that_raises_is_reported(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor = doctor_of(tmp_path, monkeypatch, sqlite_url, 'raise KeyError("drawer")')
    (found,) = doctor.findings(exits=1)
    assert (found["code"], found["module"]) == ("MH110", "desk")
    assert found["message"] == "diagnose raised KeyError: 'drawer'."
