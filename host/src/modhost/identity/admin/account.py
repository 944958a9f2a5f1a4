"""The page of one's own account."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import Response

from modhost import ANYONE, Principal, audit
from modhost.identity.access.credentials import session_of
from modhost.identity.admin.actions import NoticeQuery, accepted, notice_page, redirect
from modhost.identity.contracts import AccountService, SessionService, UserService
from modhost.identity.errors import PasswordsDiffer
from modhost.web import Form, HttpProblem, Page, Pages, Query

PATH: Final = "/account"


class OwnPasswordForm(BaseModel):
    """A new password for oneself, typed twice."""

    current: SecretStr = SecretStr("")
    new: SecretStr = SecretStr("")
    again: SecretStr = SecretStr("")


class AccountPages:
    """Shows one's own account."""

    def __init__(self, users: UserService, sessions: SessionService) -> None:
        self._users = users
        self._sessions = sessions

    async def own(self, notice: str, request: Request, visitor: Principal) -> Page:
        """Return the page."""
        user_id = _own_id(visitor)
        return notice_page(
            "account.html",
            "Your account",
            notice,
            user=await self._users.get(user_id),
            grants=sorted(visitor.grants),
            sessions=await self._sessions.list(user_id, session_of(request)),
        )


def map_account_pages(pages: Pages) -> None:
    """Map the page; it needs a login, but no permission."""
    pages.get(PATH, show_account, permission=ANYONE)
    pages.post(PATH, change_password, permission=ANYONE)
    pages.post(f"{PATH}/sessions/end-others", end_other_sessions, permission=ANYONE)
    pages.post(f"{PATH}/sessions/{{id}}/end", end_session, permission=ANYONE)


async def show_account(
    request: Request, query: Query[NoticeQuery], pages: AccountPages, visitor: Principal
) -> Page:
    """Show the account, and ask for a new password."""
    return await pages.own(query.notice, request, visitor)


async def end_session(id: UUID, sessions: SessionService, visitor: Principal) -> Response:
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
    log: audit.AuditLog,
    visitor: Principal,
) -> Response:
    """Change the password and end all other sessions."""
    user_id = _own_id(visitor)
    current, new, again = (each.get_secret_value() for each in (form.current, form.new, form.again))

    async def change() -> None:
        if new != again:
            subject = f"user:{visitor.name}"
            async with audit.recorded(log, "account.password", subject, PasswordsDiffer):
                raise PasswordsDiffer
        await account.change_password(user_id, current, new, session_of(request) or "")

    await accepted(change(), {"password": "new"})
    return redirect(PATH, "own-password")


def _own_id(visitor: Principal) -> UUID:
    kind, _, own_id = visitor.id.partition(":")
    if kind != "user":
        raise HttpProblem(403, "Only users have an account here, and you are not logged in as one.")
    return UUID(own_id)
