"""A proxy between a worker and PostgreSQL that counts the statements which pass."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio
from anyio.abc import ByteReceiveStream, ByteStream, SocketAttribute, SocketStream
from sqlalchemy.engine import make_url

from benchmarks.counting.postgres_messages import (
    REFUSAL,
    StatementCounter,
    asks_for_encryption,
)

PORT: Final = 5432
HEAD_BYTES: Final = 8


@asynccontextmanager
async def counting_proxy(url: str) -> AsyncIterator[tuple[str, StatementCounter]]:
    """Give a URL that leads to the same database, and the count of what is asked through it."""
    counter = StatementCounter()

    async def serve(client: SocketStream) -> None:
        try:
            async with client, await _connect(url) as server:
                await _relay(client, server, counter)
        except* (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream):
            pass

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - no Django here
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, serve)
        there = make_url(url).set(host="127.0.0.1", port=port, query={})
        yield there.render_as_string(hide_password=False), counter
        group.cancel_scope.cancel()


async def _connect(url: str) -> ByteStream:
    parts = make_url(url)
    host = str(parts.query.get("host") or parts.host or "localhost")
    port = parts.port or PORT
    if host.startswith("/"):
        return await anyio.connect_unix(f"{host}/.s.PGSQL.{port}")
    return await anyio.connect_tcp(host, port)


async def _relay(client: ByteStream, server: ByteStream, counter: StatementCounter) -> None:
    head = await _head(client)
    while asks_for_encryption(head):
        await client.send(REFUSAL)
        head = await _head(client)
    counted = counter.connection()
    async with anyio.create_task_group() as group:

        async def pass_back() -> None:
            async for data in server:
                await client.send(data)
            # A client that says farewell waits for the server to hang up.
            group.cancel_scope.cancel()

        group.start_soon(pass_back)
        while True:
            counted.feed(head)
            await server.send(head)
            try:
                head = await client.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                break
        group.cancel_scope.cancel()


async def _head(client: ByteReceiveStream) -> bytes:
    head = b""
    while len(head) < HEAD_BYTES:
        head += await client.receive()
    return head
