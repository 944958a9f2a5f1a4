"""What all tests share: the event loop's kind, and a real database of each kind."""

import gc
import logging
import os
import shutil
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import anyio
import argon2
import hypothesis
import pytest
from starlette.routing import compile_path

from compiled_statements import engine_of_many
from hosts import SILENT_PROVIDER
from leftovers import Watch, folder_name, is_watched, roomy_memory
from modhost import Module
from modhost.configuration import Configuration
from modhost.database.migrations import migrate
from modhost.runtime.assembly import build_host
from modhost.runtime.metrics import collection, scrapers
from modhost.runtime.serving.logs import CHATTY
from modhost.services.dependencies import dependencies_of
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_reports_example.module import ReportsModule
from moving_clock import MovingClock
from postgres import Postgres
from turns import Turns


def pytest_configure(config: pytest.Config) -> None:
    """Watch over what this run starts; the workers of pytest are part of it."""
    if not is_watched():
        config.add_cleanup(Watch().end)
    # By the clock on the wall, which says nothing where five tests share two processors.
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")
    config.pluginmanager.register(Turns())


def pytest_collection_finish() -> None:
    """Look for garbage among what tests leave, not among all that they import."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> MovingClock:
    """The time, which stands still until a test moves it."""
    return MovingClock()


@pytest.fixture
def modhost_modules() -> list[Module]:
    """The modules of the fixture `host`: all of this repository."""
    return [BackgroundJobsModule(), ReportsModule()]


@pytest.fixture
def modhost_config() -> dict[str, Any]:
    """The configuration of the fixture `host`: a login provider that never answers."""
    return {"modules": {"oidc": SILENT_PROVIDER}}


@pytest.fixture
def modhost_database_url(sqlite_url: str) -> str:
    """The database of the fixture `host`."""
    return sqlite_url


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hash passwords with little effort: most tests need one, and few care how hard it was."""
    quick = partial(argon2.PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modhost.identity.accounts.passwords.PasswordHasher", quick)
        yield


@pytest.fixture(scope="session", autouse=True)
def quick_starts() -> Iterator[None]:
    """Read and compile once what the many hosts of the tests all have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modhost.database.engines.create_async_engine", engine_of_many)
        patch.setattr("modhost.services.registration.dependencies_of", cache(dependencies_of))
        patch.setattr("starlette.routing.compile_path", cache(compile_path))
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_scrapers() -> Iterator[None]:
    """Wait for what a scrape asks for, where the machine and not the database is slow."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (collection, scrapers):
            patch.setattr(module, "TIMEOUT", 60.0)
        yield


@pytest.fixture(autouse=True)
def own_levels() -> Iterator[None]:
    """Give each test the levels of logs that all begin with: a host sets them for its process."""
    names = (None, *CHATTY)
    before = [logging.getLogger(name).level for name in names]
    yield
    for name, level in zip(names, before, strict=True):
        logging.getLogger(name).setLevel(level)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server: the one of MODHOST_TEST_POSTGRES_URL, or one of our own."""
    with Postgres.start(os.environ.get("MODHOST_TEST_POSTGRES_URL")) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres) -> Iterator[str]:
    """The name of a PostgreSQL database that all modules have migrated, to be copied."""
    name = f"migrated_{uuid4().hex}"
    migrate_all(postgres.create(name))
    yield name
    postgres.drop(name)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database that all modules have migrated, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "migrated.db"
    migrate_all(f"sqlite:///{path}")
    return path


@pytest.fixture
def postgres_url(postgres: Postgres, migrated_postgres: str) -> Iterator[str]:
    """The URL of a PostgreSQL database that is migrated, and holds nothing yet."""
    with postgres.lent(migrated_postgres) as url:
        yield url


@pytest.fixture
def sqlite_folder() -> Iterator[Path]:
    """Where the SQLite database of a test is: in memory, where a sync takes no time."""
    with TemporaryDirectory(
        prefix=folder_name(), dir=roomy_memory(), ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture
def sqlite_url(sqlite_folder: Path, migrated_sqlite: Path) -> str:
    """The URL of a SQLite database that is migrated, and holds nothing yet."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, sqlite_folder / 'test.db')}"


@pytest.fixture
def empty_sqlite_url(sqlite_folder: Path) -> str:
    """The URL of a SQLite database that does not exist yet."""
    return f"sqlite:///{sqlite_folder / 'test.db'}"


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a PostgreSQL database without tables."""
    with postgres.lent() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database, of each kind in turn."""
    which = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(which)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database that nobody has migrated, of each kind in turn."""
    which = "empty_sqlite_url" if request.param == "sqlite" else "empty_postgres_url"
    url: str = request.getfixturevalue(which)
    return url


def migrate_all(url: str) -> None:
    """Make the tables of all installed modules, as `modhost migrate` does."""
    host = build_host(Configuration({"host": {"database_url": url}}), "web")

    async def run() -> None:
        async with host.database.open():
            await migrate(host.database, host.migrations)

    anyio.run(run)
