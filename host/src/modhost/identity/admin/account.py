"""The page of one's own account."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from modhost.audit import AuditLog, recorded
from modhost.identity.access.credentials import session_of
from modhost.identity.admin.outcomes import NoticeQuery, outcome, redirect, status_of
from modhost.identity.contracts import AccountService, SessionService, UserService
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
    pages.post(f"{PATH}/sessions/end-others", end_other_sessions, permission=ANYONE)
    pages.post(f"{PATH}/sessions/{{id}}/end", end_session, permission=ANYONE)


class AccountPages:
    """Shows one's own account."""

    def __init__(self, users: UserService, sessions: SessionService) -> None:
        self._users = users
        self._sessions = sessions

    async def own(
        self,
        request: Request,
        visitor: Principal,
        query: NoticeQuery | None = None,
        problem: IdentityError | None = None,
    ) -> Page:
        """Return the page."""
        user_id = _own_id(visitor)
        context = {
            "user": await self._users.get(user_id),
            "grants": sorted(visitor.grants),
            "sessions": await self._sessions.list(user_id, session_of(request)),
            **outcome(query, problem),
        }
        return Page("modhost/account.html", context, "Your account", status_of(problem))


async def show_account(
    request: Request, query: Query[NoticeQuery], pages: AccountPages, visitor: Principal
) -> Page:
    """Show the account, and ask for a new password."""
    return await pages.own(request, visitor, query)


async def end_session(id: UUID, sessions: SessionService, visitor: Principal) -> Response:  # noqa: A002
    """End one of one's own sessions."""
    await sessions.end(_own_id(visitor), id)
    return redirect(PATH, "session-ended")


async def end_other_sessions(
    request: Request, sessions: SessionService, visitor: Principal
) -> Response:
    """End all of one's own sessions but this one."""
    await sessions.end_all(_own_id(visitor), session_of(request))
    return redirect(PATH, "sessions-ended")


async def change_password(
    request: Request,
    form: Form[OwnPasswordForm],
    account: AccountService,
    pages: AccountPages,
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
        return await pages.own(request, visitor, problem=problem)
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
