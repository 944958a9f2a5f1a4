"""What these pages share: outcomes, refusals, and what somebody has to give."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from modhost.identity.contracts import RoleInfo
from modhost.identity.errors import IdentityError, NotYoursToGrant, NotYoursToManage
from modhost.permissions import ADMIN_ROLE, Permission, Permissions, Principal

_TEXTS: Final = {
    "added": "It is added.",
    "assigned": "The role is assigned.",
    "withdrawn": "The role is withdrawn.",
    "disabled": "The user is disabled, logged out everywhere, and their tokens are revoked.",
    "session-ended": "The session is ended.",
    "sessions-ended": "The other sessions are ended.",
    "logged-out": "The user is logged out everywhere.",
    "enabled": "The user can log in again.",
    "password": "The password is replaced, and the user logged out everywhere.",
    "own-password": "Your password is changed, and all your other sessions are ended.",
    "granted": "The permission is granted to all who have the role.",
    "revoked": "The permission is taken from all who have the role.",
    "removed": "The role is removed, from all who had it too.",
    "token-revoked": "The token is revoked, at once and everywhere.",
}


class NoticeQuery(BaseModel):
    """What the address says of an outcome; an unknown name tells nothing."""

    notice: str = ""


def outcome(query: NoticeQuery | None = None, problem: IdentityError | None = None) -> Any:
    """Return the variables by which `problem.html` tells how an action went."""
    notice = "" if query is None else _TEXTS.get(query.notice, "")
    return {"notice_text": notice, "problem_text": "" if problem is None else str(problem)}


def status_of(problem: IdentityError | None) -> int:
    """Return the status of a page that tells a problem, or none."""
    if problem is None:
        return 200
    return 403 if isinstance(problem, NotYoursToGrant | NotYoursToManage) else 422


def redirect(path: str, notice: str) -> Response:
    """Send the browser to a page that tells the outcome."""
    return RedirectResponse(f"{path}?{urlencode({'notice': notice})}", 303)


def own_permissions(declared: Permissions, visitor: Principal) -> list[Permission]:
    """Return the permissions that the visitor has, and so can give."""
    return sorted((each for each in declared if visitor.may(each)), key=lambda each: each.name)


def own_roles(roles: Sequence[RoleInfo], visitor: Principal) -> list[RoleInfo]:
    """Return the roles that grant no more than the visitor has."""
    return [role for role in roles if _covers(visitor, role)]


def _covers(visitor: Principal, role: RoleInfo) -> bool:
    if role.name == ADMIN_ROLE:
        return ADMIN_ROLE in visitor.roles
    return all(visitor.may(grant) for grant in role.grants)
