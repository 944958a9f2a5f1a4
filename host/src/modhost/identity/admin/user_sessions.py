"""Where somebody is logged in, on their page of the administration."""

from uuid import UUID

from starlette.responses import Response

from modhost.identity.admin.users import PATH, UserPages
from modhost.identity.contracts import SessionService
from modhost.identity.errors import UserNotFound
from modhost.identity.permissions import MANAGE_USERS
from modhost.permissions import Principal
from modhost.web import Page, Pages


def map_user_session_pages(pages: Pages) -> None:
    """Map the actions; the page itself is that of the user."""
    missing = {UserNotFound: 404}
    one = f"{PATH}/{{id}}"
    pages.post(f"{one}/logout", log_out, permission=MANAGE_USERS, errors=missing)
    ending = f"{one}/sessions/{{session}}/end"
    pages.post(ending, end_session, permission=MANAGE_USERS, errors=missing)


async def log_out(
    id: UUID,  # noqa: A002
    sessions: SessionService,
    pages: UserPages,
    visitor: Principal,
) -> Page | Response:
    """End all sessions of a user."""
    return await pages.after(sessions.end_all(id), id, visitor, "logged-out")


async def end_session(
    id: UUID,  # noqa: A002
    session: UUID,
    sessions: SessionService,
    pages: UserPages,
    visitor: Principal,
) -> Page | Response:
    """End one session of a user."""
    return await pages.after(sessions.end(id, session), id, visitor, "session-ended")
