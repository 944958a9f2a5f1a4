"""Actions on administration pages: permissions, outcomes, and what forms offer."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from modhost import Permission
from modhost.caller import current_caller
from modhost.identity import errors
from modhost.identity.contracts import RoleInfo
from modhost.permissions import ADMIN_ROLE, Permissions
from modhost.web import Page

MANAGE_USERS: Final = Permission("Identity.ManageUsers", "Manage users and their roles")
MANAGE_TOKENS: Final = Permission("Identity.ManageTokens", "Manage API tokens")

_NOTICES: Final = {
    "added": "It has been added.",
    "assigned": "The role has been assigned.",
    "withdrawn": "The role has been withdrawn.",
    "disabled": "The user is disabled and logged out everywhere, and their tokens are revoked.",
    "session-ended": "The session has ended.",
    "sessions-ended": "The other sessions have ended.",
    "logged-out": "The user is logged out everywhere.",
    "enabled": "The user can log in again.",
    "password": "The password is replaced, and the user is logged out everywhere.",
    "own-password": "Your password is changed, and all your other sessions have ended.",
    "granted": "The permission is granted to everybody with the role.",
    "revoked": "The permission is revoked from everybody with the role.",
    "removed": "The role is removed, also from everybody who had it.",
    "token-revoked": "The token is revoked, at once and everywhere.",
}

Answer: TypeAlias = Page | Response
Outcome: TypeAlias = str | errors.IdentityError
"""How the last action ended: the name of a notice, or the refusal."""


class NoticeQuery(BaseModel):
    """The name of the notice to show; an unknown name shows none."""

    notice: str = ""


class RoleForm(BaseModel):
    """The role that an action is about."""

    role: str = ""


def outcome_page(template: str, title: str, outcome: Outcome, **context: Any) -> Page:
    """Return a page that shows how the last action ended."""
    status, notice, problem = 200, "", ""
    if isinstance(outcome, errors.IdentityError):
        is_forbidden = isinstance(outcome, errors.NotYoursToGrant | errors.NotYoursToManage)
        status, problem = 403 if is_forbidden else 422, str(outcome)
    else:
        notice = _NOTICES.get(outcome, "")
    texts = {"notice_text": notice, "problem_text": problem}
    return Page(f"modhost/identity/{template}", {**context, **texts}, title, status)


async def answer(
    change: Awaitable[object], show: Callable[[Outcome], Awaitable[Page]], path: str, notice: str
) -> Answer:
    """Make a change and redirect to a path with a notice; show the page again if it is refused."""
    try:
        await change
    except (errors.TokenNotFound, errors.UserNotFound):
        raise  # which the page answers with 404
    except errors.IdentityError as problem:
        return await show(problem)
    return redirect(path, notice)


def redirect(path: str, notice: str) -> Response:
    """Send the browser to a page that shows a notice."""
    return RedirectResponse(f"{path}?notice={notice}", 303)


async def grantable_permissions(declared: Permissions) -> list[Permission]:
    """Return the permissions that the visitor has, and so can grant."""
    visitor = (await current_caller()).principal
    own = (each for each in declared if visitor and visitor.may(each))
    return sorted(own, key=lambda each: each.name)


async def grantable_roles(roles: Sequence[RoleInfo]) -> list[RoleInfo]:
    """Return the roles that grant no more than the visitor has."""
    visitor = (await current_caller()).principal
    if visitor is None:
        return []
    is_admin = ADMIN_ROLE in visitor.roles
    own = (role for role in roles if all(visitor.may(grant) for grant in role.grants))
    return [role for role in own if is_admin or role.name != ADMIN_ROLE]
