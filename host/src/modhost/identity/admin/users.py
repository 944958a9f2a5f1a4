"""The pages of users."""

from collections.abc import Awaitable
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from modhost.identity.admin.outcomes import NoticeQuery, outcome, own_roles, redirect, status_of
from modhost.identity.contracts import RoleService, SessionService, UserService
from modhost.identity.errors import IdentityError, UserNotFound
from modhost.identity.permissions import MANAGE_USERS
from modhost.permissions import Principal
from modhost.web import Form, Page, Pages, Query

PATH: Final = "/admin/users"


class UserForm(BaseModel):
    """A new user."""

    name: str = ""
    password: SecretStr = SecretStr("")
    role: list[str] = Field(default_factory=list)


class PasswordForm(BaseModel):
    """A new password for somebody else."""

    password: SecretStr = SecretStr("")


class RoleForm(BaseModel):
    """A role to give or to take."""

    role: str = ""


class UserPages:
    """Shows users and changes them; who may do what, the services decide."""

    def __init__(self, users: UserService, roles: RoleService, sessions: SessionService) -> None:
        self._users = users
        self._sessions = sessions
        self._roles = roles

    async def all(
        self,
        visitor: Principal,
        query: NoticeQuery | None = None,
        problem: IdentityError | None = None,
        name: str = "",
    ) -> Page:
        """Return the page of all users."""
        context = {
            "users": await self._users.list(),
            "roles": own_roles(await self._roles.list(), visitor),
            "name": name,
            **outcome(query, problem),
        }
        return Page("modhost/users.html", context, "Users", status_of(problem))

    async def one(
        self,
        user_id: UUID,
        visitor: Principal,
        query: NoticeQuery | None = None,
        problem: IdentityError | None = None,
    ) -> Page:
        """Return the page of one user."""
        user = await self._users.get(user_id)
        roles = own_roles(await self._roles.list(), visitor)
        context = {
            "user": user,
            "roles": [role for role in roles if role.name not in user.roles],
            "sessions": await self._sessions.list(user_id),
            **outcome(query, problem),
        }
        return Page("modhost/user.html", context, user.name, status_of(problem))

    async def after(
        self, change: Awaitable[object], user_id: UUID, visitor: Principal, notice: str
    ) -> Page | Response:
        """Make a change to a user, and answer with their page, which tells how it went."""
        try:
            await change
        except IdentityError as problem:
            return await self.one(user_id, visitor, problem=problem)
        return redirect(f"{PATH}/{user_id}", notice)


def map_user_pages(pages: Pages) -> None:
    """Map the pages, and the actions that their forms send."""
    pages.get(PATH, show_users, permission=MANAGE_USERS)
    pages.post(PATH, add_user, permission=MANAGE_USERS)
    missing = {UserNotFound: 404}
    one = f"{PATH}/{{id}}"
    pages.get(one, show_user, permission=MANAGE_USERS, errors=missing)
    pages.post(f"{one}/disable", disable, permission=MANAGE_USERS, errors=missing)
    pages.post(f"{one}/enable", enable, permission=MANAGE_USERS, errors=missing)
    pages.post(f"{one}/password", set_password, permission=MANAGE_USERS, errors=missing)
    pages.post(f"{one}/assign", assign, permission=MANAGE_USERS, errors=missing)
    pages.post(f"{one}/withdraw", withdraw, permission=MANAGE_USERS, errors=missing)


async def show_users(query: Query[NoticeQuery], pages: UserPages, visitor: Principal) -> Page:
    """Show all users."""
    return await pages.all(visitor, query)


async def add_user(
    form: Form[UserForm], users: UserService, pages: UserPages, visitor: Principal
) -> Page | Response:
    """Add a user."""
    password = form.password.get_secret_value()
    try:
        user = await users.add(form.name, password, form.role, creator=visitor)
    except IdentityError as problem:
        return await pages.all(visitor, problem=problem, name=form.name)
    return redirect(f"{PATH}/{user.id}", "added")


async def show_user(
    id: UUID,  # noqa: A002
    query: Query[NoticeQuery],
    pages: UserPages,
    visitor: Principal,
) -> Page:
    """Show one user."""
    return await pages.one(id, visitor, query)


async def disable(
    id: UUID,  # noqa: A002
    users: UserService,
    pages: UserPages,
    visitor: Principal,
) -> Page | Response:
    """Log a user out everywhere and let them in no more."""
    return await pages.after(users.disable(id), id, visitor, "disabled")


async def enable(
    id: UUID,  # noqa: A002
    users: UserService,
    pages: UserPages,
    visitor: Principal,
) -> Page | Response:
    """Let a disabled user in again."""
    return await pages.after(users.enable(id), id, visitor, "enabled")


async def set_password(
    id: UUID,  # noqa: A002
    form: Form[PasswordForm],
    users: UserService,
    pages: UserPages,
    visitor: Principal,
) -> Page | Response:
    """Replace a user's password."""
    change = users.set_password(id, form.password.get_secret_value())
    return await pages.after(change, id, visitor, "password")


async def assign(
    id: UUID,  # noqa: A002
    form: Form[RoleForm],
    users: UserService,
    pages: UserPages,
    visitor: Principal,
) -> Page | Response:
    """Give a user a role."""
    return await pages.after(users.assign(id, form.role), id, visitor, "assigned")


async def withdraw(
    id: UUID,  # noqa: A002
    form: Form[RoleForm],
    users: UserService,
    pages: UserPages,
    visitor: Principal,
) -> Page | Response:
    """Take a role from a user."""
    return await pages.after(users.withdraw(id, form.role), id, visitor, "withdrawn")
