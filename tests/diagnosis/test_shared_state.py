"""A module whose import changes the process for all others is named."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor, install
from modhost import new_id
from processes.forking import run_modhost

SOURCE = """
from modhost import Module

CHANGE


class Acme(Module):
    name = "NAME"
"""
CHANGES = [
    ("import logging; logging.getLogger().setLevel('ERROR')", "the level of the root logger"),
    (
        "import logging.config; logging.config.dictConfig({'version': 1})",
        "loggers of the host, which are disabled (disable_existing_loggers)",
    ),
    ("import logging; logging.disable('ERROR')", "which messages of all loggers are disabled"),
    ("import socket; socket.setdefaulttimeout(3)", "the default timeout of sockets"),
    ("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)", "the handlers of signals"),
    (
        (
            "from asyncio import DefaultEventLoopPolicy as Usual, set_event_loop_policy\n"
            "set_event_loop_policy(type('Other', (Usual,), {})())"
        ),
        "the event loop policy",
    ),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_what_an_import_changes_is_reported(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, change: str, words: str
) -> None:
    name = f"acme{new_id().hex[-12:]}"
    install(tmp_path, monkeypatch, name, SOURCE.replace("CHANGE", change).replace("NAME", name))
    doctor = Doctor.of(tmp_path, sqlite_url)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    run = run_modhost(["--config", str(doctor.config), "doctor"], tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"MH116 Module changes what all modules share (module {name}, " in run.stdout
    assert f"importing it changed {words}." in run.stdout


def test_an_import_that_changes_nothing_is_right(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"acme{new_id().hex[-12:]}"
    quiet = "import logging; logging.getLogger('acme').setLevel('ERROR')"
    install(tmp_path, monkeypatch, name, SOURCE.replace("CHANGE", quiet).replace("NAME", name))
    assert Doctor.of(tmp_path, sqlite_url).findings(exits=0) == []
