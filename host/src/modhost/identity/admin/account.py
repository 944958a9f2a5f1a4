"""The page of one's own account."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from modhost.audit import AuditLog, recorded
from modhost.identity.admin.showing import NoticeQuery, outcome, redirect, status_of
from modhost.identity.contracts import AccountService, UserInfo, UserService
from modhost.identity.cookie import session_of
from modhost.identity.errors import IdentityError
from modhost.permissions import ANYONE, Principal
from modhost.web import Form, HttpProblem, Page, Pages, Query

PATH: Final = "/account"


class OwnPasswordForm(BaseModel):
    """A new password for oneself, typed twice."""

    current: SecretStr = SecretStr("")
    new: SecretStr = SecretStr("")
    again: SecretStr = SecretStr("")


class TypedTwice(IdentityError):
    """The new password was not typed the same twice."""


def map_account_pages(pages: Pages) -> None:
    """Map the page; it needs no permission, but somebody who is logged in."""
    pages.get(PATH, show_account, permission=ANYONE)
    pages.post(PATH, change_password, permission=ANYONE)


async def show_account(query: Query[NoticeQuery], users: UserService, visitor: Principal) -> Page:
    """Show the account, and ask for a new password."""
    return _page(await users.get(_own_id(visitor)), visitor, query)


async def change_password(
    request: Request,
    form: Form[OwnPasswordForm],
    account: AccountService,
    users: UserService,
    audit: AuditLog,
    visitor: Principal,
) -> Page | Response:
    """Change the password and end all other sessions."""
    user_id = _own_id(visitor)
    new = form.new.get_secret_value()
    try:
        if new != form.again.get_secret_value():
            await _refuse_differing(audit, visitor)
        current = form.current.get_secret_value()
        await account.change_password(user_id, current, new, session_of(request) or "")
    except IdentityError as problem:
        return _page(await users.get(user_id), visitor, problem=problem)
    return redirect(PATH, "own-password")


async def _refuse_differing(audit: AuditLog, visitor: Principal) -> None:
    async with recorded(audit, "account.password", f"user:{visitor.name}", TypedTwice):
        msg = "The two new passwords differ; type the same twice."
        raise TypedTwice(msg)


def _own_id(visitor: Principal) -> UUID:
    kind, _, own_id = visitor.id.partition(":")
    if kind != "user":
        raise HttpProblem(403, "Only users have an account here, and you are none of them.")
    return UUID(own_id)


def _page(
    user: UserInfo,
    visitor: Principal,
    query: NoticeQuery | None = None,
    problem: IdentityError | None = None,
) -> Page:
    context = {"user": user, "grants": sorted(visitor.grants), **outcome(query, problem)}
    return Page("modhost/account.html", context, "Your account", status_of(problem))
