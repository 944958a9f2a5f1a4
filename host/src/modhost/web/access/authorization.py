"""Authorization: whether the caller may use an endpoint or a page."""

from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from modhost import Permission
from modhost.permissions import Anyone
from modhost.web.access.context import context_of, current_principal
from modhost.web.middleware.protection import SAFE_METHODS
from modhost.web.problems import HttpProblem, unauthenticated


async def is_allowed(request: Request, permission: Permission | Anyone | None) -> bool:
    """Return whether the caller may see a page, without recording that they may not."""
    if isinstance(permission, Anyone):
        return True
    principal = await current_principal(request)
    return principal is not None and permission is not None and principal.may(permission)


async def authorize(request: Request, permission: Permission | Anyone | None, route: str) -> None:
    """Let the caller pass, or raise the `HttpProblem` 401 or 403; without a permission nobody does.

    A refusal of an unsafe request is recorded when the caller is known.
    """
    if isinstance(permission, Anyone):
        return
    principal = await current_principal(request)
    if principal is None:
        raise unauthenticated()
    if permission is None:
        raise HttpProblem(403, "This address is open to nobody.")
    if not principal.may(permission):
        detail = f"This needs the permission {permission.name} ({permission.label})."
        context = context_of(request)
        if context is not None and request.method not in SAFE_METHODS:
            await context.note_refusal(principal, f"{request.method} {route}", detail)
        raise HttpProblem(403, detail)


def rechecked(
    scope: Scope, receive: Receive, permission: Permission | Anyone | None, route: str
) -> Receive:
    """Return a `receive` that authorizes anew once the body of an unsafe request took long.

    Otherwise whoever holds a body back keeps rights that were taken away meanwhile. It raises what
    `authorize` does, and the rest of the request has the caller as they are now.
    """
    request = Request(scope)
    context = context_of(request)
    if context is None or request.method in SAFE_METHODS:
        return receive

    async def receive_rechecked() -> Message:
        message = await receive()
        if message["type"] == "http.request" and await context.renew():
            await authorize(request, permission, route)
        return message

    return receive_rechecked
