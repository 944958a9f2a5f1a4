"""TLS to PostgreSQL as libpq understands it, on every connection of a host."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import text

from background_jobs.jobs_module import JobsModule, Probe, WaitingJob
from database.postgres.tls_server import TlsServer, installed_programs
from hosts import host_with
from modhost.database import BadDatabaseUrl, Database, DatabaseUnreachable

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[TlsServer]:
    programs = installed_programs()
    if programs is None:
        pytest.skip("no PostgreSQL that knows TLS is installed")
    with TlsServer.start(programs) as server:
        yield server


async def connected(url: str) -> list[str]:
    """Return the TLS versions of a connection of each kind."""
    version = "SELECT coalesce(version, 'none') FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    async with Database(url).open() as database:
        async with database.session() as session:
            of_engine = (await (await session.connection()).execute(text(version))).scalar_one()
        of_pool = await database.postgres.fetchval(version)
        dedicated = await database.postgres.connect()
        of_dedicated = await dedicated.fetchval(version)
        await dedicated.close()
    return [of_engine, of_pool, of_dedicated]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "sslmode=prefer",
        "sslmode=allow",
        "sslmode=require",
        "sslmode=require&sslrootcert={authority}",
        "sslmode=verify-ca&sslrootcert={authority}",
        "sslmode=verify-full&sslrootcert={authority}",
    ],
)
async def test_every_kind_of_connection_is_encrypted(server: TlsServer, query: str) -> None:
    url = server.url(query.format(authority=server.authority))
    assert set(await connected(url)) == {"TLSv1.3"}


@pytest.mark.parametrize(
    ("query", "host"),
    [
        ("sslmode=disable", "127.0.0.1"),
        ("sslmode=require&sslrootcert={stranger}", "127.0.0.1"),
        ("sslmode=verify-ca&sslrootcert={stranger}", "127.0.0.1"),
        ("sslmode=verify-full&sslrootcert={stranger}", "127.0.0.1"),
        # The certificate is for 127.0.0.1 alone.
        ("sslmode=verify-full&sslrootcert={authority}", "localhost"),
        ("sslrootcert=system", "127.0.0.1"),
    ],
)
async def test_a_server_that_cannot_be_trusted_is_refused_with_a_remedy(
    server: TlsServer, query: str, host: str
) -> None:
    places = {"authority": server.authority, "stranger": server.stranger}
    with pytest.raises(DatabaseUnreachable) as refused:
        await connected(server.url(query.format(**places), host=host))
    if query != "sslmode=disable":
        assert "sslmode" in refused.value.remedy, refused.value


async def test_another_name_is_enough_for_verify_ca(server: TlsServer) -> None:
    url = server.url(f"sslmode=verify-ca&sslrootcert={server.authority}", host="localhost")
    assert set(await connected(url)) == {"TLSv1.3"}


async def test_the_authorities_of_the_system_are_enough_where_they_sign(
    server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.authority))
    assert set(await connected(server.url("sslrootcert=system"))) == {"TLSv1.3"}
    with pytest.raises(DatabaseUnreachable, match="certificate"):
        await connected(server.url("sslrootcert=system", host="localhost"))


async def test_a_client_shows_its_certificate(server: TlsServer) -> None:
    async with Database(server.url()).open() as database:
        await database.postgres.execute("CREATE ROLE client LOGIN")
    query = f"sslmode=verify-full&sslrootcert={server.authority}"
    with pytest.raises(DatabaseUnreachable, match="requires a valid client certificate"):
        await connected(server.url(query, "client"))
    query += f"&sslcert={server.client}.crt&sslkey={server.client}.key"
    assert set(await connected(server.url(query, "client"))) == {"TLSv1.3"}


async def test_a_host_migrates_listens_and_runs_jobs_over_tls(server: TlsServer) -> None:
    query = f"sslmode=verify-full&sslrootcert={server.authority}&application_name=shop"
    probe = Probe()
    consumer = {"worker_mode": "Consumer"}
    async with host_with(server.url(query), JobsModule(probe), background_jobs=consumer) as jobs:
        database = await jobs.service(Database)
        job = await jobs.scheduling.enqueue(WaitingJob)
        await probe.until(lambda: probe.started["waiting"] > 0)
        # One that begins, or that an earlier test has left and that ends, has no such name.
        with anyio.fail_after(20):
            while set(names := await clients(database)) != {("shop", True)} or len(names) < 4:
                await anyio.sleep(0.05)
        probe.gate.set()
        await jobs.ends(job)


async def clients(database: Database) -> list[tuple[str, bool]]:
    """Return the name of each connection to the server by TCP, and whether it is encrypted."""
    rows = await database.postgres.fetch(
        "SELECT application_name, ssl FROM pg_stat_activity JOIN pg_stat_ssl USING (pid)"
        " WHERE client_addr IS NOT NULL"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("sslmode=requre", "unknown sslmode; the modes are: disable, allow, prefer, require"),
        ("sslmode=verify-full", "add sslrootcert=/path/to/ca.crt, or sslrootcert=system"),
        ("sslmode=require&sslrootcert=system", "which needs sslmode=verify-full"),
        ("sslmode=require&sslrootcert=ca.crt", "a relative path as sslrootcert"),
        ("sslmode=require&sslrootcert={missing}", "cannot be read: No such file"),
        ("sslmode=require&sslrootcert={empty}", "holds no certificate"),
        ("sslmode=require&sslcert={empty}", "is not a certificate with the key"),
        ("ssl=require", "Did you mean sslmode?"),
    ],
)
def test_parameters_that_cannot_be_used_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, words: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "empty.crt").touch()
    places = {"missing": tmp_path / "no.crt", "empty": tmp_path / "empty.crt"}
    with pytest.raises(BadDatabaseUrl) as refused:
        Database(f"postgresql://u@h/d?{query.format(**places)}")
    assert words in str(refused.value)
