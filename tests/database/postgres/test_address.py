"""The address of a PostgreSQL is read once, for all connections, and shown without secrets."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from sqlalchemy import text
from sqlalchemy.engine import make_url

from background_jobs.postgres_proxy import PostgresProxy
from modhost.database import BadDatabaseUrl, Database, DatabaseUnreachable, DatabaseUrl

pytestmark = pytest.mark.anyio

SECRETS = ("hunt@er2", "hunt/er2@", "hu/nt@er2", "hunt?er2", "hunt#er2", "hunt[er2]", "hu%nter2")


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", ["postgresql://u:{}@h/d", "postgres://u:{}@h:5432,g/d?port=1"])
def test_a_reserved_character_in_a_password_is_refused_and_nothing_is_shown(
    form: str, secret: str
) -> None:
    with pytest.raises(BadDatabaseUrl, match="%40 for @") as refused:
        Database(form.format(secret))
    assert "er2" not in str(refused.value)
    assert "hu" not in str(refused.value)
    encoded = DatabaseUrl.parse(f"postgresql://u:{quote(secret, safe='')}@h/d")
    assert encoded.address.password == secret
    assert str(encoded) == "postgresql://u:***@h/d"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("password=hunter2", "a parameter 'password'. The parameters are: host"),
        ("sslpassword=hunter2", "a parameter 'sslpassword'. The parameters are: host"),
        ("target_session_attrs=any", "The parameters are: host, port, sslmode, sslrootcert"),
        ("sslmode", "without a value"),
        ("sslmode=prefer&sslmode=require", "a parameter twice"),
        ("host=/tmp", "names hosts twice"),
        ("port=5432,5433", "not as many hosts"),
        ("connect_timeout=0", "not a whole number of seconds, 1 or more"),
        ("connect_timeout=2s", "not a whole number of seconds"),
        ("application_name=%00", "a control character"),
        ("application_name=%e9", "is not UTF-8"),
    ],
)
def test_a_parameter_that_is_unknown_or_useless_is_refused(query: str, words: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        Database(f"postgresql://u@h/d?{query}")
    assert words in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "hosts", ["u:hunter2", "h:99999", "h,", "h,:5432", "h:54:32", "::1", "h:٣"]
)
def test_a_host_that_cannot_be_read_is_refused_and_not_shown(hosts: str) -> None:
    with pytest.raises(BadDatabaseUrl) as refused:
        Database(f"postgresql://{hosts}/d")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("postgresql+asyncpg://a%40b@h:5433/d%2F1", "postgresql://a%40b@h:5433/d%2F1"),
        ("postgres://[::1]:5433,h/d", "postgresql://[::1]:5433,h/d"),
        ("postgresql://a,b,c/d?port=1", "postgresql://a:1,b:1,c:1/d"),
        ("postgresql:///d?host=a,b&port=1,2", "postgresql://a:1,b:2/d"),
        ("postgresql://%2Frun%2Fpg/d", "postgresql:///d?host=/run/pg"),
        ("postgresql://u@/d?host=/run/pg&port=5", "postgresql://u@/d?host=/run/pg&port=5"),
        (
            "postgresql:///d?host=/a%26b,h,i&port=5,6,5",
            "postgresql:///d?host=/a%26b,h,i&port=5,6,5",
        ),
        (" postgresql:///d?sslmode=require\n", "postgresql:///d?sslmode=require"),
    ],
)
def test_an_address_is_shown_as_it_is_understood(written: str, shown: str) -> None:
    assert str(DatabaseUrl.parse(written)) == shown


async def server_and_names(url: str) -> tuple[object, set[str]]:
    """Return the database that a host at the URL reaches, and how its connections are called."""
    name = "SELECT current_setting('application_name')"
    async with Database(url).open() as database:
        async with database.session() as session:
            names = {(await (await session.connection()).execute(text(name))).scalar_one()}
        names.add(await database.postgres.fetchval(name))
        return await database.postgres.fetchval("SELECT current_database()"), names


async def test_the_application_name_and_a_socket_hold_for_all_connections(
    empty_postgres_url: str,
) -> None:
    url = make_url(empty_postgres_url)
    folder = str(url.query.get("host", ""))
    parameters = {"application_name": "shop & co", "connect_timeout": "5"}
    whole = url.update_query_dict(parameters).render_as_string(hide_password=False)
    assert await server_and_names(whole) == (url.database, {"shop & co"})
    if folder:
        encoded = f"postgresql://{url.username}@{quote(folder, safe='')}/{url.database}"
        assert await server_and_names(encoded) == (url.database, {"modhost"})


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """Offer a port that takes connections and never answers."""

    async def ignore(client: SocketStream) -> None:
        async with client:
            await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, ignore)
        yield int(listener.listeners[0].extra(SocketAttribute.local_port))  # noqa: S610
        group.cancel_scope.cancel()


async def test_a_host_that_does_not_answer_makes_room_for_the_next(
    empty_postgres_url: str,
) -> None:
    async with PostgresProxy(empty_postgres_url).open() as proxy, silent_server() as silent:
        live = make_url(proxy.url)
        # The one that answers is there again for a machine that stutters: it has a second too.
        hosts = ",".join(["127.0.0.1:1", f"127.0.0.1:{silent}", *[f"{live.host}:{live.port}"] * 5])
        url = f"postgresql://{live.username}@{hosts}/{live.database}?connect_timeout=1"
        assert await server_and_names(url) == (live.database, {"modhost"})


async def test_hosts_that_all_fail_are_each_named_with_the_reason() -> None:
    async with silent_server() as silent:
        url = f"postgresql://u@127.0.0.1:1,127.0.0.1:{silent}/d?connect_timeout=1"
        began = time.monotonic()
        with pytest.raises(DatabaseUnreachable) as refused:
            await server_and_names(url)
    assert 1 <= time.monotonic() - began < 8
    assert "127.0.0.1:1 failed (" in str(refused.value)
    assert f"127.0.0.1:{silent} failed (" in str(refused.value)
