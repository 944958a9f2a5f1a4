"""A pooler in transaction mode, as PgBouncer is: each transaction may reach another session."""

import secrets
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from anyio.abc import ByteStream, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from sqlalchemy.engine import URL, make_url

SESSIONS = 3
_PROTOCOL = struct.pack(">I", 196608)
# By the client's message: how the last message of the answer begins.
_ANSWERED_BY = {b"Q": (b"Z",), b"S": (b"Z",), b"H": (b"T", b"n", b"E", b"C", b"s")}
_ENCRYPTION = (80877103, 80877104)


class Peer:
    """One end of a connection, message by message."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._received = BufferedByteReceiveStream(stream)

    async def startup(self) -> bytes:
        (length,) = struct.unpack(">I", await self._received.receive_exactly(4))
        return await self._received.receive_exactly(length - 4)

    async def message(self) -> tuple[bytes, bytes]:
        head = await self._received.receive_exactly(5)
        (length,) = struct.unpack(">I", head[1:])
        return head[:1], head + await self._received.receive_exactly(length - 4)

    async def send(self, data: bytes) -> None:
        await self._stream.send(data)


class Pooler:
    """Lends a few sessions of the server in turn, one transaction at a time."""

    def __init__(self, url: str) -> None:
        self._server = make_url(url)
        self._free: deque[Peer] = deque()
        self._turn = anyio.Semaphore(SESSIONS)
        self._greeting = b""
        self._port = 0

    @property
    def url(self) -> str:
        bare = self._server.difference_update_query(["host", "port"])
        return bare.set(host="127.0.0.1", port=self._port).render_as_string(hide_password=False)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Pooler"]:
        async with AsyncExitStack() as stack:
            for _ in range(SESSIONS):
                stream = await stack.enter_async_context(await _connect(self._server))
                self._free.append(await self._begin_session(stream))
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
            await stack.enter_async_context(listener)
            self._port = listener.listeners[0].extra(SocketAttribute.local_port)  # noqa: S610
            async with anyio.create_task_group() as group:
                group.start_soon(listener.serve, self._serve)
                yield self
                group.cancel_scope.cancel()

    async def _begin_session(self, stream: ByteStream) -> Peer:
        session = Peer(stream)
        names = {"user": self._server.username or "", "database": self._server.database or ""}
        pairs = b"".join(f"{key}\0{value}\0".encode() for key, value in names.items())
        body = _PROTOCOL + pairs + b"\0"
        await session.send(struct.pack(">I", len(body) + 4) + body)
        self._greeting = b""
        while True:
            kind, message = await session.message()
            if kind == b"Z":
                return session
            if kind in (b"R", b"S"):
                self._greeting += message

    async def _serve(self, stream: SocketStream) -> None:
        client = Peer(stream)
        try:
            async with stream:
                while struct.unpack(">I", (await client.startup())[:4])[0] in _ENCRYPTION:
                    await client.send(b"N")
                key = b"K" + struct.pack(">I", 12) + secrets.token_bytes(3).rjust(8, b"\1")
                await client.send(self._greeting + key + b"Z\0\0\0\5I")
                while True:
                    kind, message = await client.message()
                    if kind == b"X":
                        return
                    async with self._turn:
                        session = self._free.popleft()
                        try:
                            await _transaction(client, session, kind, message)
                        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError):
                            await _roll_back(session)
                            return
                        finally:
                            self._free.append(session)
        except (anyio.EndOfStream, anyio.IncompleteRead, anyio.BrokenResourceError):
            return


async def _transaction(client: Peer, session: Peer, kind: bytes, message: bytes) -> None:
    """Pass messages on until the server says that no transaction is open."""
    while True:
        await session.send(message)
        if ends := _ANSWERED_BY.get(kind):
            answer = b""
            while answer not in ends:
                answer, message = await session.message()
                await client.send(message)
            if answer == b"Z" and message.endswith(b"I"):
                return
        kind, message = await client.message()


async def _roll_back(session: Peer) -> None:
    """End what a client that is gone has left."""
    await session.send(b"S\0\0\0\4Q\0\0\0\x0dROLLBACK\0")
    message = b""
    while b"ROLLBACK" not in message:
        _, message = await session.message()
    while not message.startswith(b"Z"):
        _, message = await session.message()


async def _connect(url: URL) -> ByteStream:
    host = str(url.host or url.query["host"])
    port = url.port or int(str(url.query.get("port", "5432")))
    if host.startswith("/"):
        return await anyio.connect_unix(f"{host}/.s.PGSQL.{port}")
    return await anyio.connect_tcp(host, port)
