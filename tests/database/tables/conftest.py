"""A module that has made its first tables, on each kind of database in turn."""

from pathlib import Path

import pytest

from database.tables.library import FIRST, Library, library_of


@pytest.fixture
async def library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> Library:
    library = library_of(tmp_path, monkeypatch, empty_database_url)
    library.add(FIRST)
    await library.migrate()
    return library
