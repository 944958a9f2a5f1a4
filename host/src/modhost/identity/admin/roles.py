"""The page of roles."""

from functools import partial
from typing import Final

from pydantic import BaseModel, Field
from starlette.responses import Response

from modhost.identity.admin import actions
from modhost.identity.admin.actions import MANAGE_USERS, NoticeQuery, RoleForm
from modhost.identity.contracts import RoleService
from modhost.permissions import ADMIN_ROLE, Permissions
from modhost.web import Form, Page, Pages, Query

PATH: Final = "/admin/roles"


class NewRoleForm(BaseModel):
    """A new role."""

    name: str = ""
    permission: list[str] = Field(default_factory=list)


class GrantForm(RoleForm):
    """A permission to grant to a role, or to revoke from it."""

    permission: str = ""


class RolePages:
    """Shows the roles."""

    def __init__(self, roles: RoleService, declared: Permissions) -> None:
        self._roles = roles
        self._declared = declared

    async def all(self, notice: str) -> Page:
        """Return the page of all roles."""
        return actions.notice_page(
            "roles.html",
            "Roles",
            notice,
            roles=await self._roles.list(),
            permissions=await actions.grantable_permissions(self._declared),
            admin=ADMIN_ROLE,
        )


def map_role_pages(pages: Pages) -> None:
    """Map the page, and the actions of its forms."""
    pages.get(PATH, show_roles, permission=MANAGE_USERS)
    pages.post(PATH, add_role, permission=MANAGE_USERS)
    post = partial(pages.post, permission=MANAGE_USERS, shown_by=show_roles)
    post(f"{PATH}/grant", grant)
    post(f"{PATH}/revoke", revoke)
    pages.get(f"{PATH}/remove", ask_to_remove, permission=MANAGE_USERS)
    post(f"{PATH}/remove", remove)


async def show_roles(query: Query[NoticeQuery], pages: RolePages) -> Page:
    """Show all roles."""
    return await pages.all(query.notice)


async def add_role(form: Form[NewRoleForm], roles: RoleService) -> Response:
    """Add a role."""
    return await actions.answer(roles.add(form.name, form.permission), PATH, "added")


async def grant(form: Form[GrantForm], roles: RoleService) -> Response:
    """Grant a permission to a role."""
    return await actions.answer(roles.grant(form.role, form.permission), PATH, "granted")


async def revoke(form: Form[GrantForm], roles: RoleService) -> Response:
    """Revoke a permission from a role."""
    return await actions.answer(roles.revoke(form.role, form.permission), PATH, "revoked")


async def ask_to_remove(query: Query[RoleForm]) -> Page:
    """Ask whether to remove a role."""
    question = f"Remove {query.role}? Everybody who has this role loses what it grants, at once."
    return actions.confirmation(
        "Remove the role",
        question,
        f"{PATH}/remove",
        (PATH, "Roles"),
        query.role,
        {"role": query.role},
    )


async def remove(form: Form[RoleForm], roles: RoleService) -> Response:
    """Remove a role."""
    return await actions.answer(roles.remove(form.role), PATH, "removed")
