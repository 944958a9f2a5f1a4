"""The page of roles."""

from typing import Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from modhost.identity.admin.outcomes import (
    NoticeQuery,
    outcome,
    own_permissions,
    redirect,
    status_of,
)
from modhost.identity.contracts import RoleService
from modhost.identity.errors import IdentityError
from modhost.identity.permissions import MANAGE_USERS
from modhost.permissions import ADMIN_ROLE, Permissions, Principal
from modhost.web import Form, Page, Pages, Query

PATH: Final = "/admin/roles"


class NewRoleForm(BaseModel):
    """A new role."""

    name: str = ""
    permission: list[str] = Field(default_factory=list)


class RoleForm(BaseModel):
    """A role to remove."""

    role: str = ""


class GrantForm(RoleForm):
    """A permission to add to a role, or to take from it."""

    permission: str = ""


class RolePages:
    """Shows the roles."""

    def __init__(self, roles: RoleService, declared: Permissions) -> None:
        self._roles = roles
        self._declared = declared

    async def all(
        self,
        visitor: Principal,
        query: NoticeQuery | None = None,
        problem: IdentityError | None = None,
        name: str = "",
    ) -> Page:
        """Return the page of all roles."""
        context = {
            "roles": await self._roles.list(),
            "permissions": own_permissions(self._declared, visitor),
            "admin": ADMIN_ROLE,
            "name": name,
            **outcome(query, problem),
        }
        return Page("modhost/roles.html", context, "Roles", status_of(problem))


def map_role_pages(pages: Pages) -> None:
    """Map the page, and the actions that its forms send."""
    pages.get(PATH, show_roles, permission=MANAGE_USERS)
    pages.post(PATH, add_role, permission=MANAGE_USERS)
    pages.post(f"{PATH}/grant", grant, permission=MANAGE_USERS)
    pages.post(f"{PATH}/revoke", revoke, permission=MANAGE_USERS)
    pages.post(f"{PATH}/remove", remove, permission=MANAGE_USERS)


async def show_roles(query: Query[NoticeQuery], pages: RolePages, visitor: Principal) -> Page:
    """Show all roles."""
    return await pages.all(visitor, query)


async def add_role(
    form: Form[NewRoleForm], roles: RoleService, pages: RolePages, visitor: Principal
) -> Page | Response:
    """Add a role."""
    try:
        await roles.add(form.name, form.permission)
    except IdentityError as problem:
        return await pages.all(visitor, problem=problem, name=form.name)
    return redirect(PATH, "added")


async def grant(
    form: Form[GrantForm], roles: RoleService, pages: RolePages, visitor: Principal
) -> Page | Response:
    """Add a permission to a role."""
    try:
        await roles.grant(form.role, form.permission)
    except IdentityError as problem:
        return await pages.all(visitor, problem=problem)
    return redirect(PATH, "granted")


async def revoke(
    form: Form[GrantForm], roles: RoleService, pages: RolePages, visitor: Principal
) -> Page | Response:
    """Take a permission from a role."""
    try:
        await roles.revoke(form.role, form.permission)
    except IdentityError as problem:
        return await pages.all(visitor, problem=problem)
    return redirect(PATH, "revoked")


async def remove(
    form: Form[RoleForm], roles: RoleService, pages: RolePages, visitor: Principal
) -> Page | Response:
    """Remove a role."""
    try:
        await roles.remove(form.role)
    except IdentityError as problem:
        return await pages.all(visitor, problem=problem)
    return redirect(PATH, "removed")
