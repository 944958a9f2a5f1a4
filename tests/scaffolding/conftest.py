"""An author of a module."""

from pathlib import Path

import pytest

from scaffolding.author import Author


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Author:
    return Author(tmp_path, monkeypatch, database_url)
