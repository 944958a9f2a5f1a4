"""A doctor for a migrated database of each kind."""

from pathlib import Path

import pytest

from diagnosis.support import Doctor


@pytest.fixture
def doctor(database_url: str, tmp_path: Path) -> Doctor:
    return Doctor.of(tmp_path, database_url).migrate()
