"""A long open transaction is reported, without its statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import pytest
from anyio.from_thread import start_blocking_portal

from diagnosis.support import Doctor
from modhost.cli.main import main


@pytest.fixture
def doctor(postgres_url: str, tmp_path: Path) -> Doctor:
    return Doctor.of(tmp_path, postgres_url).migrate()


@contextmanager
def connected(url: str, *statements: str) -> Iterator[int]:
    """Connect as another program, run the statements, and yield the server's process."""

    async def connect() -> Any:
        connection = await asyncpg.connect(url, server_settings={"application_name": "forgetful"})
        for statement in statements:
            await connection.execute(statement)
        return connection

    with start_blocking_portal() as portal:
        connection = portal.call(connect)
        try:
            yield connection.get_server_pid()
        finally:
            portal.call(connection.close)


@contextmanager
def holding(url: str) -> Iterator[int]:
    with connected(url, "BEGIN", "SELECT 'sesame'") as process:
        # The age is the server's, so that it has to be waited for there.
        anyio.run(wait_in, url)
        yield process


async def wait_in(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("SELECT pg_sleep(1.1)")
    await connection.close()


def test_who_holds_a_transaction_open_is_reported(doctor: Doctor) -> None:
    with holding(doctor.database_url) as process:
        (found,) = doctor.findings("--held-for", "1s", exits=0)
        assert doctor.findings(exits=0) == []
    assert (found["code"], found["severity"]) == ("MH508", "warning")
    start, _, end = found["message"].partition(" has held one open for ")
    assert start.startswith(f"process {process} (user '")
    assert start.endswith("', application 'forgetful')")
    assert end.endswith(" s; it is idle in transaction.")
    assert f"pg_terminate_backend({process})" in found["remedy"]
    assert "sesame" not in str(found)


def test_connections_without_a_transaction_and_other_databases_are_nobodys_business(
    doctor: Doctor, postgres: Any
) -> None:
    other = postgres.create("other_" + doctor.database_url[-12:])
    try:
        with connected(doctor.database_url, "SELECT 1"), connected(other, "BEGIN"):
            assert doctor.findings("--held-for", "0", exits=0) == []
    finally:
        postgres.drop("other_" + doctor.database_url[-12:])


def test_sqlite_has_none_to_report(tmp_path: Path, sqlite_url: str) -> None:
    doctor = Doctor.of(tmp_path, sqlite_url).migrate()
    assert doctor.findings("--held-for", "0", exits=0) == []


def test_a_duration_that_is_none_is_bad_usage(doctor: Doctor) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(doctor.config), "doctor", "--held-for", "soon"])
    assert ended.value.code == 2
