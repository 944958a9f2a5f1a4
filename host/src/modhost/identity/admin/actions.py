"""Actions on administration pages: permissions, outcomes, and what forms offer."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from modhost import Permission
from modhost.caller import current_caller
from modhost.identity import errors
from modhost.identity.contracts import RoleInfo
from modhost.permissions import ADMIN_ROLE, Permissions
from modhost.web import FieldError, HttpProblem, Page

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

T = TypeVar("T")
Answer: TypeAlias = Page | Response

# The field of the forms that each error is about.
_FIELDS: Final[dict[type[errors.IdentityError], str]] = {
    errors.NameTaken: "name",
    errors.UnusableName: "name",
    errors.UnusablePassword: "password",
    errors.UnusableExpiry: "expires",
    errors.UnknownGrant: "permission",
    errors.UnknownRole: "role",
    errors.WrongPassword: "current",
    errors.PasswordsDiffer: "again",
}


class NoticeQuery(BaseModel):
    """The name of the notice to show; an unknown name shows none."""

    notice: str = ""


class RoleForm(BaseModel):
    """The role that an action is about."""

    role: str = ""


def notice_page(template: str, title: str, notice: str, **context: Any) -> Page:
    """Return a page that shows how the last action ended; an unknown notice shows nothing."""
    texts = {"notice_text": _NOTICES.get(notice, "")}
    return Page(f"modhost/identity/{template}", {**context, **texts}, title)


def confirmation(
    title: str,
    question: str,
    action: str,
    above: tuple[str, str],
    about: str,
    values: Mapping[str, str] | None = None,
    **context: Any,
) -> Page:
    """Return the page that asks before what cannot be undone.

    Args:
        title: the heading, and what the button says.
        question: what is about to happen.
        action: where the form goes.
        above: the address and the name of the page that one came from.
        about: the name of the user, role or token.
        values: the hidden fields of the form.
        context: further variables; `used` is when a token was used last.

    """
    asked = {"question": question, "action": action, "button": title}
    where = {"above": above, "about": about, "values": values or {}}
    return Page("modhost/identity/confirm.html", asked | where | context, title)


async def answer(change: Awaitable[object], path: str, notice: str) -> Response:
    """Make a change and redirect to a path with a notice. Raises `HttpProblem` if it is refused."""
    await accepted(change)
    return redirect(path, notice)


async def accepted(change: Awaitable[T], fields: Mapping[str, str] | None = None) -> T:
    """Make a change and return what it returns.

    Args:
        change: may raise an `IdentityError`.
        fields: other names of fields in this form, by those that errors are about.

    Raises:
        HttpProblem: 403 or 422, with the field; the page of the form shows it.

    """
    try:
        return await change
    except (errors.TokenNotFound, errors.UserNotFound):
        raise  # which the page answers with 404
    except errors.IdentityError as error:
        is_forbidden = isinstance(error, errors.NotYoursToGrant | errors.NotYoursToManage)
        field = _FIELDS.get(type(error), "")
        found = [FieldError((fields or {}).get(field, field), str(error))] if field else []
        raise HttpProblem(403 if is_forbidden else 422, str(error), errors=found) from error


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
