"""How uvicorn serves, and what becomes of a request whose client sends what is not HTTP."""

import math
from datetime import timedelta

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.protocols.http.h11_impl import H11Protocol


class _H11Protocol(H11Protocol):
    """Ends the request whose body cannot be read as one whose client is gone.

    uvicorn answers 400 while the application still works on the request, whose own answer then
    fails; and fails itself where that answer has begun.
    """

    def send_400_response(self, msg: str) -> None:
        """Answer 400 where no answer has begun, and close the connection."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()


def server_config(app: ASGIApp, keep_alive: timedelta, graceful_seconds: int) -> uvicorn.Config:
    """Return how an application is served.

    Args:
        app: what answers.
        keep_alive: how long an idle connection is kept open.
        graceful_seconds: how long a stop waits for requests.

    """
    return uvicorn.Config(
        app,
        http=_H11Protocol if AutoHTTPProtocol is H11Protocol else AutoHTTPProtocol,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=math.ceil(keep_alive.total_seconds()),
        timeout_graceful_shutdown=graceful_seconds,
    )
