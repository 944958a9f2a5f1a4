"""From where users have logged in: a stranger's failures must not keep them out from there."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlmodel import and_, col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from modhost.identity.accounts.user_rows import key_of
from modhost.identity.tables import User, UserNetwork

FORGOTTEN_AFTER: Final = timedelta(days=90)


async def find_visited(
    session: AsyncSession, name: str, network: str, now: datetime
) -> tuple[User | None, bool]:
    """Return the user of that name, and whether they have logged in from the network.

    It is one statement for all names, so that its time does not tell which of them exist.
    """
    visited = and_(
        col(UserNetwork.user_id) == col(User.id),
        col(UserNetwork.network) == network,
        col(UserNetwork.last_login_at) > now - FORGOTTEN_AFTER,
    )
    statement = select(User, UserNetwork.network).join(UserNetwork, visited, isouter=True)
    found = (await session.exec(statement.where(User.name_key == key_of(name)))).first()
    # Where no address is known, everybody would come from the same place.
    return (None, False) if found is None else (found[0], bool(found[1]))


async def remember_network(
    session: AsyncSession, user_id: UUID, network: str, now: datetime
) -> None:
    """Remember a login; the transaction holds the user's row. Old ones are forgotten."""
    mine = col(UserNetwork.user_id) == user_id
    old = col(UserNetwork.last_login_at) <= now - FORGOTTEN_AFTER
    await session.exec(delete(UserNetwork).where(mine, old))
    if network:
        await session.merge(UserNetwork(user_id=user_id, network=network, last_login_at=now))
