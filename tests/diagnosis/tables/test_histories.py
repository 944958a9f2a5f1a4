"""Revisions that cannot be applied stop everything with one message, and exit code 2."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor, install
from modhost import new_id
from modhost.checks import StartupError
from modhost.cli.main import main
from processes.forking import run_modhost

SOURCE = """
from modhost import Module


class Acme(Module):
    name = "NAME"
    migrations = "PACKAGE"
"""
RAISING = """
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.drop_table("never_there", schema="NAME")
"""
TWO = "revision = {!r}\ndown_revision = None\n\n\ndef upgrade():\n    pass\n"
CASES = [
    ("MH509", "is one of a, b", {"a": TWO.format("a"), "b": TWO.format("b")}),
    ("MH509", "there is no revision in", {}),
    ("MH510", "revision 0001 raised ", {"a": RAISING}),
]


@pytest.fixture
def name() -> str:
    return f"acme{new_id().hex[-12:]}"


def exit_of(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    captured = capsys.readouterr()
    return ended.value.code, captured.out + captured.err


@pytest.mark.parametrize(("rule", "words", "revisions"), CASES)
def test_a_broken_history_is_reported_with_its_module(
    tmp_path: Path,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    rule: str,
    words: str,
    revisions: dict[str, str],
) -> None:
    source = SOURCE.replace("NAME", name).replace("PACKAGE", f"acme_{name}.migrations")
    written = {each: text.replace("NAME", name) for each, text in revisions.items()}
    install(tmp_path, monkeypatch, name, source, **written)
    doctor = Doctor.of(tmp_path, database_url, 'environment = "development"')
    code, output = exit_of(capsys, "--config", str(doctor.config), "migrate")
    assert code == 2
    assert f"{rule} " in output
    assert f"(module {name}, distribution acme-{name}): " in output
    assert words in output
    assert "Traceback" not in output
    with pytest.raises(StartupError, match=rule):
        doctor.modhost("users", "list")
    for _ in range(2):
        (found,) = doctor.findings(exits=1)
        assert (found["code"], found["module"]) == (rule, name)
        assert found["distribution"] == f"acme-{name}"


def test_a_package_that_is_missing_is_reported_by_every_start(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    install(tmp_path, monkeypatch, name, SOURCE.replace("NAME", name).replace("PACKAGE", "nope"))
    doctor = Doctor.of(tmp_path, sqlite_url, 'bind = "127.0.0.1:0"')
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    for command in ("run", "worker"):
        run = run_modhost(["--config", str(doctor.config), command], tmp_path)
        assert run.returncode == 2, run.stderr
        assert run.stderr.count("MH509") == 1
        assert "No module named 'nope'" in run.stderr
        assert "Traceback" not in run.stderr
    assert [each["code"] for each in doctor.findings(exits=1)] == ["MH509"]
