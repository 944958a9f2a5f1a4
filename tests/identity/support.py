"""What the identity tests share: permissions, requests."""

from starlette.requests import Request

from modhost.identity import Authenticator
from modhost.permissions import Permission, Principal
from modhost.services import Scope

VIEW = Permission("Reports.View", "View reports", default_roles=("Viewer",))
GENERATE = Permission("Reports.Generate", "Generate reports")
PASSWORD = "correct horse"


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
