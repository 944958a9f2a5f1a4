"""A client for plain functions: its requests run on the event loop of the host."""

from collections.abc import Collection

import httpx2
from anyio.from_thread import BlockingPortal

from modhost.testing.running import BASE_URL, RunningHost


class _PortalTransport(httpx2.BaseTransport):
    def __init__(self, portal: BlockingPortal, transport: httpx2.AsyncBaseTransport) -> None:
        self._portal = portal
        self._transport = transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        return self._portal.call(self._answer, request)

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._transport.handle_async_request(request)
        # As it was sent: whoever reads it decodes it.
        body = b"".join([part async for part in answer.aiter_raw()])
        return httpx2.Response(
            answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(body)
        )


def client_of(
    portal: BlockingPortal,
    running: RunningHost,
    permissions: Collection[str],
    roles: Collection[str],
) -> httpx2.Client:
    """Return a client of a host, with a token unless nothing is given."""
    return httpx2.Client(
        transport=_PortalTransport(portal, httpx2.ASGITransport(running.host.app)),
        base_url=BASE_URL,
        headers=portal.call(lambda: running.headers(*permissions, roles=roles)),
    )
