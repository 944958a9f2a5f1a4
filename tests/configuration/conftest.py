"""What tests of configurations share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder_without_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work where no host has run: a file of the checkout's own is reported as misplaced."""
    monkeypatch.chdir(tmp_path)
