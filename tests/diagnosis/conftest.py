"""A doctor for a migrated database of each kind, and for a role of PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnosis.grants import Grants, granted
from diagnosis.support import Doctor
from postgres import Postgres


@pytest.fixture
def doctor(database_url: str, tmp_path: Path) -> Doctor:
    return Doctor.of(tmp_path, database_url).migrate()


@pytest.fixture
def grants(postgres: Postgres, postgres_url: str, tmp_path: Path) -> Iterator[Grants]:
    with granted(postgres, postgres_url, tmp_path) as grants:
        yield grants


@pytest.fixture
def grants_on_nothing(
    postgres: Postgres, empty_postgres_url: str, tmp_path: Path
) -> Iterator[Grants]:
    """The same for a database that nobody has migrated."""
    with granted(postgres, empty_postgres_url, tmp_path) as grants:
        yield grants
