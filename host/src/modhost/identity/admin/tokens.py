"""The page of API tokens."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.responses import Response

from modhost.durations import Duration
from modhost.identity.admin.outcomes import (
    NoticeQuery,
    outcome,
    own_permissions,
    own_roles,
    redirect,
    status_of,
)
from modhost.identity.contracts import CreatedToken, RoleService, TokenService
from modhost.identity.errors import IdentityError, NotYoursToManage, TokenNotFound
from modhost.identity.permissions import MANAGE_TOKENS
from modhost.permissions import Permissions, Principal
from modhost.web import Form, Page, Pages, Query

PATH: Final = "/admin/tokens"


class TokenForm(BaseModel):
    """A new token; without `expires` it is valid until it is revoked."""

    name: str = ""
    permission: list[str] = Field(default_factory=list)
    role: list[str] = Field(default_factory=list)
    expires: Duration | None = None


class TokenPages:
    """Shows the tokens."""

    def __init__(self, tokens: TokenService, roles: RoleService, declared: Permissions) -> None:
        self._tokens = tokens
        self._roles = roles
        self._declared = declared

    async def all(
        self,
        visitor: Principal,
        query: NoticeQuery | None = None,
        problem: IdentityError | None = None,
        name: str = "",
        created: CreatedToken | None = None,
    ) -> Page:
        """Return the page of all tokens; `created` is shown on it, this once."""
        context = {
            "tokens": await self._tokens.list(),
            "permissions": own_permissions(self._declared, visitor),
            "roles": own_roles(await self._roles.list(), visitor),
            "name": name,
            "created": created,
            **outcome(query, problem),
        }
        return Page("modhost/tokens.html", context, "API tokens", status_of(problem))


def map_token_pages(pages: Pages) -> None:
    """Map the page, and the actions that its forms send."""
    pages.get(PATH, show_tokens, permission=MANAGE_TOKENS)
    pages.post(PATH, create_token, permission=MANAGE_TOKENS)
    gone = {TokenNotFound: 404}
    pages.post(f"{PATH}/{{id}}/revoke", revoke_token, permission=MANAGE_TOKENS, errors=gone)


async def show_tokens(query: Query[NoticeQuery], pages: TokenPages, visitor: Principal) -> Page:
    """Show all tokens in use."""
    return await pages.all(visitor, query)


async def create_token(
    form: Form[TokenForm], tokens: TokenService, pages: TokenPages, visitor: Principal
) -> Page:
    """Create a token, and show it on the answer only."""
    try:
        created = await tokens.create(
            form.name, form.permission, form.role, form.expires, creator=visitor
        )
    except IdentityError as problem:
        return await pages.all(visitor, problem=problem, name=form.name)
    return await pages.all(visitor, created=created)


async def revoke_token(
    id: UUID,  # noqa: A002
    tokens: TokenService,
    pages: TokenPages,
    visitor: Principal,
) -> Page | Response:
    """End a token."""
    try:
        await tokens.revoke(id)
    except NotYoursToManage as problem:
        return await pages.all(visitor, problem=problem)
    return redirect(PATH, "token-revoked")
