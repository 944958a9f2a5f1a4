"""The page of API tokens."""

from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.responses import Response

from modhost import Principal
from modhost.durations import Duration
from modhost.identity.admin import actions
from modhost.identity.admin.actions import MANAGE_TOKENS, NoticeQuery
from modhost.identity.contracts import CreatedToken, RoleService, TokenInfo, TokenService
from modhost.identity.errors import TokenNotFound
from modhost.permissions import Permissions
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

    async def all(self, notice: str, created: CreatedToken | None = None) -> Page:
        """Return the page of all tokens; `created` is shown on it, this once."""
        return actions.notice_page(
            "tokens.html",
            "API tokens",
            notice,
            tokens=await self._tokens.list(),
            permissions=await actions.grantable_permissions(self._declared),
            roles=await actions.grantable_roles(await self._roles.list()),
            created=created,
        )

    async def find(self, id_: UUID) -> TokenInfo:
        """Return a token in use. Raises `TokenNotFound`."""
        for token in await self._tokens.list():
            if token.id == id_:
                return token
        raise TokenNotFound(f"No token in use has the id {id_}.")


def map_token_pages(pages: Pages) -> None:
    """Map the page, and the actions of its forms."""
    pages.get(PATH, show_tokens, permission=MANAGE_TOKENS)
    pages.post(PATH, create_token, permission=MANAGE_TOKENS)
    one, missing = f"{PATH}/{{id}}/revoke", {TokenNotFound: 404}
    pages.get(one, ask_to_revoke, permission=MANAGE_TOKENS, errors=missing)
    pages.post(one, revoke_token, permission=MANAGE_TOKENS, errors=missing, shown_by=show_tokens)


async def show_tokens(query: Query[NoticeQuery], pages: TokenPages) -> Page:
    """Show all tokens in use."""
    return await pages.all(query.notice)


async def create_token(
    form: Form[TokenForm], tokens: TokenService, pages: TokenPages, visitor: Principal
) -> Page:
    """Create a token, and show its secret on this one page."""
    rights = (form.permission, form.role)
    creating = tokens.create(form.name, *rights, form.expires, creator=visitor)
    return await pages.all("", created=await actions.accepted(creating))


async def ask_to_revoke(id: UUID, pages: TokenPages) -> Page:
    """Ask whether to revoke a token."""
    token = await pages.find(id)
    question = f"Revoke {token.name}? Programs that send this token are refused from now on."
    above = (PATH, "API tokens")
    return actions.confirmation(
        "Revoke the token",
        question,
        f"{PATH}/{id}/revoke",
        above,
        token.name,
        used=token.last_used_at,
    )


async def revoke_token(id: UUID, tokens: TokenService) -> Response:
    """Revoke a token."""
    return await actions.answer(tokens.revoke(id), PATH, "token-revoked")
