"""What all tests share: the event loop's kind, and a real database of each kind."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import argon2
import pytest

from postgres import Postgres


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords with little effort: most tests need one, and few care how hard it was."""
    quick = partial(argon2.PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modhost.identity.passwords.PasswordHasher", quick)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server: the one of MODHOST_TEST_POSTGRES_URL, or one of our own."""
    with Postgres.start(os.environ.get("MODHOST_TEST_POSTGRES_URL")) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = f"test_{uuid4().hex}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of each kind in turn."""
    which = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(which)
    return url
