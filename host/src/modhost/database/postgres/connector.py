"""Connect to PostgreSQL: the one way in which every connection of a process is opened."""

import logging
from functools import cache
from typing import Any, Final
from weakref import WeakKeyDictionary

import anyio

from modhost.database.errors import BadDatabaseUrl, reason_of
from modhost.database.postgres.address import HostAndPort, PostgresAddress, written

logger = logging.getLogger(__name__)

ABANDONED_SECONDS: Final = 10
"""After how long the server gives up a client that vanished, with all that it had locked."""
_ANSWER_SECONDS: Final = 60.0
# A machine that vanishes answers no probe, and acknowledges nothing; one that is suspended, or
# behind a proxy that stays silent, is only idle. Set by a statement and not as the connection
# begins, where poolers refuse what they do not know.
_GIVE_UP: Final = f"""
SET idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s';
SET tcp_user_timeout = '{ABANDONED_SECONDS}s';
SET tcp_keepalives_idle = {ABANDONED_SECONDS // 2};
SET tcp_keepalives_interval = 1;
SET tcp_keepalives_count = {ABANDONED_SECONDS // 2}
"""
# Of SQLSTATE: the connection failed, there is no room for one, or the server starts or stops.
_NEXT_HOST: Final = ("08", "53", "57")


class PostgresConnector:
    """Opens connections to an address."""

    def __init__(self, address: PostgresAddress) -> None:
        self.asyncpg: Any = import_asyncpg()
        self._address = address
        size = address.statement_cache_size
        self._keeps_statements = None if size is None else size > 0
        self.is_pooled = False
        """Whether a pooler was found in between, whose sessions others use as well."""
        self._opening: dict[anyio.CancelScope, float] = {}
        self._opened: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    @property
    def keeps_statements(self) -> bool:
        """Whether prepared statements may outlive a transaction: not behind a pooler."""
        return self._keeps_statements is not False

    async def find_pooler(self) -> None:
        """Find out whether a pooler is in between, unless that is known."""
        if self._keeps_statements is None:
            await (await self.connect()).close()

    async def connect(self, _dsn: None = None, **settings: Any) -> Any:
        """Open a connection, to the first primary where there are several hosts.

        The server closes it, with all that it has locked, when this host vanishes without a word.
        A pool of asyncpg passes its own address, which it does not have, and its settings.
        Raises what the driver raises.
        """
        hosts = self._address.hosts
        if len(hosts) > 1:
            return await self._connect_to_primary(hosts, settings)
        return await self._connect(*(hosts[0] if hosts else (None, None)), **settings)

    async def _connect_to_primary(
        self, hosts: tuple[HostAndPort, ...], settings: dict[str, Any]
    ) -> Any:
        reasons = []
        for host in hosts:
            try:
                return await self._connect(*host, target_session_attrs="primary", **settings)
            except (OSError, self.asyncpg.InternalClientError) as error:
                reason = reason_of(error)
            except self.asyncpg.PostgresError as error:
                if not str(error.sqlstate).startswith(_NEXT_HOST):
                    raise
                reason = reason_of(error)
            reasons.append(f"{written(host)} failed ({reason.removesuffix('.')})")
        raise ConnectionError(", ".join(reasons))

    def disconnect(self, opened_before: float) -> None:
        """Close connections at once, without a word to the server, also those not open yet."""
        for opening, began in list(self._opening.items()):
            if began < opened_before:
                opening.cancel()
        for connection, began in list(self._opened.items()):
            if began < opened_before and not connection.is_closed():
                # As if the server had closed it: who uses it learns that from the driver.
                connection._transport.abort()

    async def _connect(self, host: str | None, port: int | None, **settings: Any) -> Any:
        with anyio.CancelScope() as opening:
            began = self._opening[opening] = anyio.current_time()
            try:
                connection = await self._open(host, port, **settings)
            finally:
                del self._opening[opening]
            self._opened[connection] = began
            return connection
        raise ConnectionError("the connection was given up while it was opened")

    async def _open(self, host: str | None, port: int | None, **settings: Any) -> Any:
        # Read anew each time, since certificates are replaced while a process runs.
        arguments = {"command_timeout": _ANSWER_SECONDS} | self._address.arguments() | settings
        if self._keeps_statements is not True:
            arguments["statement_cache_size"] = 0
        connection = await self.asyncpg.connect(host=host, port=port, **arguments)
        try:
            await connection.execute(_GIVE_UP, timeout=self._address.connect_timeout)
            if self._keeps_statements is None:
                self._keeps_statements = await self._is_direct(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _is_direct(self, connection: Any) -> bool:
        """Return whether the process at the other end is the server's own.

        A pooler gives its clients numbers of its own, and may send each transaction elsewhere.
        """
        process = await connection.fetchval(
            "SELECT pg_backend_pid()", timeout=self._address.connect_timeout
        )
        if process != connection.get_server_pid():
            self.is_pooled = True
            logger.info("A pooler is ahead of the database: no statement is kept prepared.")
            return False
        return True


@cache
def import_asyncpg() -> Any:
    """Return the driver. Raises `BadDatabaseUrl` when it is not installed."""
    try:
        import asyncpg
        from asyncpg import connect_utils
    except ImportError as error:
        msg = "The database URL is one of PostgreSQL, but its driver is not installed; run "
        msg += "`pip install 'modhost[postgres]'`."
        raise BadDatabaseUrl(msg) from error
    connect_utils.TLSUpgradeProto = _retrieving(connect_utils.TLSUpgradeProto)
    return asyncpg


def _retrieving(upgrade: Any) -> Any:
    """Return the driver's protocol of an upgrade to TLS, whose failure nobody needs to retrieve.

    The driver waits for the upgrade once the connection is open. One that is given up just before
    fails alone, and asyncio logs that with a traceback.
    """

    class Upgrade(upgrade):  # type: ignore[misc]
        def connection_lost(self, error: Exception | None) -> None:
            super().connection_lost(error)
            if not self.on_data.cancelled():
                self.on_data.exception()

    return Upgrade
