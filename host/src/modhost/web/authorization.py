"""Whether the caller may use an endpoint or a page."""

from starlette.requests import Request

from modhost.permissions import Anyone, Permission
from modhost.web.context import current_principal
from modhost.web.problems import HttpProblem, unauthenticated


async def authorize(request: Request, permission: Permission | Anyone | None) -> None:
    """Let the caller pass, or raise the `HttpProblem` 401 or 403; no permission lets nobody in."""
    if isinstance(permission, Anyone):
        return
    principal = await current_principal(request)
    if principal is None:
        raise unauthenticated()
    if permission is None:
        raise HttpProblem(403, "This address is open to nobody.")
    if not principal.may(permission):
        detail = f"This needs the permission {permission.name} ({permission.label})."
        raise HttpProblem(403, detail)
