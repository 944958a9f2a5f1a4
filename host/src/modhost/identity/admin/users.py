"""The pages of users, their roles and their sessions."""

from collections.abc import Awaitable
from functools import partial
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from modhost import Principal
from modhost.identity.admin import actions
from modhost.identity.admin.actions import MANAGE_USERS, NoticeQuery, RoleForm
from modhost.identity.contracts import RoleService, SessionService, UserService
from modhost.identity.errors import UserNotFound
from modhost.web import Form, Page, Pages, Query

PATH: Final = "/admin/users"


class UserForm(BaseModel):
    """A new user."""

    name: str = ""
    password: SecretStr = SecretStr("")
    role: list[str] = Field(default_factory=list)


class PasswordForm(BaseModel):
    """A new password for another user."""

    password: SecretStr = SecretStr("")


class UserPages:
    """Shows users, and how their changes end."""

    def __init__(self, users: UserService, roles: RoleService, sessions: SessionService) -> None:
        self._users = users
        self._sessions = sessions
        self._roles = roles

    async def all(self, notice: str) -> Page:
        """Return the page of all users."""
        users = await self._users.list()
        roles = await actions.grantable_roles(await self._roles.list())
        return actions.notice_page("users.html", "Users", notice, users=users, roles=roles)

    async def one(self, notice: str, user_id: UUID) -> Page:
        """Return the page of one user."""
        user = await self._users.get(user_id)
        roles = await actions.grantable_roles(await self._roles.list())
        return actions.notice_page(
            "user.html",
            user.name,
            notice,
            user=user,
            roles=[role for role in roles if role.name not in user.roles],
            sessions=await self._sessions.list(user_id),
        )


def map_user_pages(pages: Pages) -> None:
    """Map the pages, and the actions of their forms."""
    pages.get(PATH, show_users, permission=MANAGE_USERS)
    pages.post(PATH, add_user, permission=MANAGE_USERS)
    one, missing = f"{PATH}/{{id}}", {UserNotFound: 404}
    pages.get(one, show_user, permission=MANAGE_USERS, errors=missing)
    post = partial(pages.post, permission=MANAGE_USERS, errors=missing, shown_by=show_user)
    pages.get(f"{one}/disable", ask_to_disable, permission=MANAGE_USERS, errors=missing)
    post(f"{one}/disable", disable)
    post(f"{one}/enable", enable)
    post(f"{one}/password", set_password)
    post(f"{one}/assign", assign)
    post(f"{one}/withdraw", withdraw)
    post(f"{one}/logout", log_out)
    post(f"{one}/sessions/{{session}}/end", end_session)


async def show_users(query: Query[NoticeQuery], pages: UserPages) -> Page:
    """Show all users."""
    return await pages.all(query.notice)


async def add_user(form: Form[UserForm], users: UserService, visitor: Principal) -> Response:
    """Add a user."""
    password = form.password.get_secret_value()
    user = await actions.accepted(users.add(form.name, password, form.role, creator=visitor))
    return actions.redirect(f"{PATH}/{user.id}", "added")


async def show_user(id: UUID, query: Query[NoticeQuery], pages: UserPages) -> Page:
    """Show one user."""
    return await pages.one(query.notice, id)


async def ask_to_disable(id: UUID, users: UserService) -> Page:
    """Ask whether to disable a user, which also revokes the tokens that they have made."""
    user = await users.get(id)
    question = (
        f"Disable {user.name}? They are logged out everywhere, and the tokens that they have made "
        "are revoked permanently. Their account can be enabled again."
    )
    path = f"{PATH}/{id}"
    above = (path, user.name)
    return actions.confirmation("Disable the user", question, f"{path}/disable", above, "Disable")


async def disable(id: UUID, users: UserService) -> Response:
    """Log a user out everywhere and let them in no more."""
    return await _answer(users.disable(id), id, "disabled")


async def enable(id: UUID, users: UserService) -> Response:
    """Let a disabled user in again."""
    return await _answer(users.enable(id), id, "enabled")


async def set_password(id: UUID, form: Form[PasswordForm], users: UserService) -> Response:
    """Replace a user's password."""
    change = users.set_password(id, form.password.get_secret_value())
    return await _answer(change, id, "password")


async def assign(id: UUID, form: Form[RoleForm], users: UserService) -> Response:
    """Give a user a role."""
    return await _answer(users.assign(id, form.role), id, "assigned")


async def withdraw(id: UUID, form: Form[RoleForm], users: UserService) -> Response:
    """Take a role from a user."""
    return await _answer(users.withdraw(id, form.role), id, "withdrawn")


async def log_out(id: UUID, sessions: SessionService) -> Response:
    """End all sessions of a user."""
    return await _answer(sessions.end_all(id), id, "logged-out")


async def end_session(id: UUID, session: UUID, sessions: SessionService) -> Response:
    """End one session of a user."""
    return await _answer(sessions.end(id, session), id, "session-ended")


async def _answer(change: Awaitable[object], user_id: UUID, notice: str) -> Response:
    """Change a user, and lead to their page."""
    return await actions.answer(change, f"{PATH}/{user_id}", notice)
