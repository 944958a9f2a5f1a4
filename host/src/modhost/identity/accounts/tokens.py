"""API tokens: created, listed, revoked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost import Principal, new_id
from modhost.caller import current_caller
from modhost.identity.access.credentials import TOKEN_PREFIX, hash_of, new_token
from modhost.identity.access.grants import Rights, distinct
from modhost.identity.accounts.audited import AuditedService
from modhost.identity.accounts.user_rows import usable_name
from modhost.identity.contracts import CreatedToken, TokenInfo
from modhost.identity.errors import NameTaken, TokenNotFound, UnusableExpiry, UnusableName
from modhost.identity.tables import Token, TokenRole, User


class Tokens(AuditedService):
    """Implements `TokenService`, whose methods say what each does."""

    async def create(
        self,
        name: str,
        permissions: Collection[str],
        roles: Collection[str] = (),
        expires: timedelta | None = None,
        *,
        creator: Principal | None = None,
    ) -> CreatedToken:
        """Create a token and show its secret, this once."""
        now = self._clock.now()
        rights = Rights(distinct(permissions), distinct(roles))
        creator = creator or (await current_caller()).principal
        secret, token_id = new_token(), new_id()
        detail = f"{name.strip()!r}: {rights.in_words()}"
        async with self._change("tokens.create", f"token:{token_id}", detail) as (session, _):
            token = Token(
                id=token_id,
                name=_usable_name(name),
                secret_hash=hash_of(secret),
                permissions=list(rights.permissions),
                created_at=now,
                created_by=creator.id if creator else None,
                expires_at=_expiry(now, expires),
            )
            await self._grants.check(session, rights, creator)
            session.add(token)
            try:
                await session.flush()
            except IntegrityError:
                # Without the cause, which would show the statement's values.
                msg = f"A token {token.name!r} is in use; revoke it first, or choose another name."
                raise NameTaken(msg) from None
            session.add_all(TokenRole(token_id=token_id, role=role) for role in rights.roles)
        return CreatedToken(token.id, token.name, secret)

    async def list(self) -> Sequence[TokenInfo]:
        """Return the tokens that are not revoked, the newest first."""
        unrevoked = col(Token.revoked_at).is_(None)
        statement = select(Token).where(unrevoked).order_by(col(Token.id).desc())
        async with self._database.reading() as session:
            tokens = (await session.exec(statement)).all()
            ids = select(col(Token.id)).where(unrevoked)
            roles = await _roles(session, col(TokenRole.token_id).in_(ids))
            names = await _names(session, {token.created_by for token in tokens})
            return [
                _info(token, roles.get(token.id, ()), names.get(token.created_by or "", ""))
                for token in tokens
            ]

    async def revoke(self, id_or_name: UUID | str) -> TokenInfo:
        """Revoke a token."""
        async with self._change("tokens.revoke", "an unknown token") as (session, entry):
            token = await _find(session, id_or_name)
            entry.subject, entry.detail = f"token:{token.id}", repr(token.name)
            roles = await _roles(session, col(TokenRole.token_id) == token.id)
            info = _info(token, roles.get(token.id, ()))
            # Whoever made a token, or is it, may revoke it even if they have fewer rights by now.
            if (await current_caller()).id not in (token.created_by, f"token:{token.id}"):
                held = Rights(info.permissions, info.roles)
                await self._grants.check_reach(session, f"The token {token.name!r}", held)
            token.revoked_at = self._clock.now()
            return info


async def revoke_made_by(session: AsyncSession, maker: str, now: datetime) -> None:
    """Revoke the tokens that a principal has made, and those that these have made."""
    makers = [maker]
    while makers:
        revoking = (
            update(Token)
            .where(col(Token.created_by).in_(makers), col(Token.revoked_at).is_(None))
            .values(revoked_at=now)
            .returning(col(Token.id))
        )
        makers = [f"token:{each}" for each in (await session.exec(revoking)).scalars()]


async def change_maker(session: AsyncSession, before: str, now: str) -> None:
    """Let the tokens that a principal has made stay its own when its id changes."""
    made = col(Token.created_by) == before
    await session.exec(update(Token).where(made).values(created_by=now))


def _usable_name(name: str) -> str:
    """Return the name as stored; one that reads as an id could be taken for another token's."""
    stored = usable_name(name, "token")
    if _as_id(stored) is not None:
        msg = f"The name {stored!r} of a token reads as the id of one; choose another, such as "
        raise UnusableName(f"{msg}the name of the program that sends it.")
    return stored


def _expiry(now: datetime, expires: timedelta | None) -> datetime | None:
    if expires is None:
        return None
    if expires <= timedelta(0):
        raise UnusableExpiry(f"The token would expire at once ({expires}); let it live longer.")
    try:
        return now + expires
    except OverflowError as error:
        msg = "The token would outlive the calendar; choose a shorter time, or none at all."
        raise UnusableExpiry(msg) from error


async def _find(session: AsyncSession, id_or_name: UUID | str) -> Token:
    """Return the token in use with that id, or else with that name. Raises `TokenNotFound`."""
    given = str(id_or_name)
    id_ = _as_id(given)
    token = None if id_ is None else await session.get(Token, id_)
    # An id means its own token alone, whatever others are named; of a revoked one, none.
    if token is None and not isinstance(id_or_name, UUID):
        in_use = (Token.name == given, col(Token.revoked_at).is_(None))
        token = (await session.exec(select(Token).where(*in_use))).first()
    if token is None or token.revoked_at is not None:
        # Whoever pastes the token itself must not read it in an error.
        is_secret = given.startswith(TOKEN_PREFIX)
        shown = "what you gave (it looks like the token itself)" if is_secret else repr(given)
        msg = f"No token in use has the id or name {shown}; `modhost tokens list` shows them."
        raise TokenNotFound(msg)
    return token


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _roles(session: AsyncSession, of_tokens: ColumnElement[bool]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for held in await session.exec(select(TokenRole).where(of_tokens).order_by(TokenRole.role)):
        found[held.token_id].append(held.role)
    return found


async def _names(session: AsyncSession, ids: Collection[str | None]) -> dict[str, str]:
    """Return the names of users and tokens by the ids of their principals."""
    names: dict[str, str] = {}
    for kind, table in (("user", User), ("token", Token)):
        own = (each.removeprefix(f"{kind}:") for each in ids if each and each.startswith(kind))
        keys = [key for each in own if (key := _as_id(each))]
        if keys:
            rows = await session.exec(select(table.id, table.name).where(col(table.id).in_(keys)))
            names |= {f"{kind}:{id_}": name for id_, name in rows}
    return names


def _info(token: Token, roles: Iterable[str], creator_name: str = "") -> TokenInfo:
    return TokenInfo(
        id=token.id,
        name=token.name,
        permissions=tuple(token.permissions),
        roles=tuple(roles),
        created_at=token.created_at,
        created_by=token.created_by,
        expires_at=token.expires_at,
        last_used_at=token.last_used_at,
        creator_name=creator_name,
    )
