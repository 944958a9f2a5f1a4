"""What the identity tests share: a clock, permissions, requests."""

from datetime import UTC, datetime, timedelta

from starlette.requests import Request

from modhost.identity import Authenticator
from modhost.permissions import Permission, Principal
from modhost.services import Scope

VIEW = Permission("Reports.View", "View reports", default_roles=("Viewer",))
GENERATE = Permission("Reports.Generate", "Generate reports")
PASSWORD = "correct horse"


class MovingClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
        self.seconds = 1000.0

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, by: timedelta) -> None:
        self.time += by
        self.seconds += by.total_seconds()


def request_with(authorization: str | None = None, cookie: str | None = None) -> Request:
    headers = []
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    if cookie is not None:
        headers.append((b"cookie", f"modhost_session={cookie}".encode()))
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


async def by_token(scope: Scope, token: str) -> Principal | None:
    authenticator = await scope.get(Authenticator)
    return await authenticator.authenticate(request_with(f"Bearer {token}"), scope)
