"""API tokens are created, listed and revoked."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import select

from modhost import new_id
from modhost.caller import ActingFor, caller_of
from modhost.database import Database
from modhost.identity import TokenService
from modhost.identity.errors import (
    NameTaken,
    NotYoursToGrant,
    NotYoursToManage,
    TokenNotFound,
    UnknownGrant,
    UnknownRole,
    UnusableExpiry,
    UnusableName,
)
from modhost.identity.tables import Token
from modhost.permissions import Principal
from modhost.services import Scope

pytestmark = pytest.mark.anyio


@pytest.fixture
async def tokens(scope: Scope) -> TokenService:
    return await scope.get(TokenService)


async def test_a_created_token_is_listed_without_its_secret(tokens: TokenService) -> None:
    created = await tokens.create("ci", ["Reports.View"], ["Viewer"], timedelta(days=30))
    assert created.token.startswith("mh_")
    (listed,) = await tokens.list()
    assert (listed.id, listed.name) == (created.id, "ci")
    assert (listed.permissions, listed.roles) == (("Reports.View",), ("Viewer",))
    assert listed.expires_at == listed.created_at + timedelta(days=30)
    assert created.token not in repr(listed)
    assert created.token not in repr(created)


async def test_the_database_holds_no_secret(tokens: TokenService, database: Database) -> None:
    created = await tokens.create("ci", ["Reports.View"])
    async with database.reading() as session:
        stored = (await session.exec(select(Token))).one()
        assert created.token not in str(stored.model_dump())
        assert stored.secret_hash not in repr(stored)


async def test_tokens_are_listed_the_newest_first(tokens: TokenService) -> None:
    for name in ("first", "second"):
        await tokens.create(name, [])
    assert [token.name for token in await tokens.list()] == ["second", "first"]


@pytest.mark.parametrize("grant", ["Reports.*", "*", "Reports.View"])
async def test_a_wildcard_that_covers_a_declared_permission_is_taken(
    tokens: TokenService, grant: str
) -> None:
    assert (await tokens.create("ci", [grant])).name == "ci"


@pytest.mark.parametrize("grant", ["Report.*", "Reports.Vi*", "ReportsX.*", "Reports.*.*", ""])
async def test_a_grant_that_covers_nothing_declared_is_refused(
    tokens: TokenService, grant: str
) -> None:
    with pytest.raises(UnknownGrant):
        await tokens.create("ci", [grant])
    assert await tokens.list() == []


async def test_a_mistyped_permission_is_answered_with_what_is_near(tokens: TokenService) -> None:
    with pytest.raises(UnknownGrant, match=r"'reports.veiw'.*Did you mean Reports\.View\b"):
        await tokens.create("ci", ["reports.veiw"])


async def test_an_unknown_role_is_answered_with_the_roles_that_there_are(
    tokens: TokenService,
) -> None:
    with pytest.raises(UnknownRole, match=r"'Boss'.*Admin, Viewer"):
        await tokens.create("ci", [], ["Boss"])


async def test_a_name_in_use_is_refused_until_its_token_is_revoked(tokens: TokenService) -> None:
    await tokens.create("ci", [])
    with pytest.raises(NameTaken, match="'ci' is in use"):
        await tokens.create("ci", [])
    await tokens.revoke("ci")
    await tokens.create("ci", [])
    assert len(await tokens.list()) == 1


@pytest.mark.parametrize("name", ["", "  ", "a\tb", "x" * 101])
async def test_a_name_that_cannot_be_printed_in_a_line_is_refused(
    tokens: TokenService, name: str
) -> None:
    with pytest.raises(UnusableName):
        await tokens.create(name, [])


@pytest.mark.parametrize("expires", [timedelta(0), timedelta(days=-1), timedelta.max])
async def test_an_expiry_now_or_beyond_the_calendar_is_refused(
    tokens: TokenService, expires: timedelta
) -> None:
    with pytest.raises(UnusableExpiry):
        await tokens.create("ci", [], (), expires)


async def test_a_token_is_revoked_by_id_as_well(tokens: TokenService) -> None:
    created = await tokens.create("ci", [])
    assert (await tokens.revoke(str(created.id))).name == "ci"
    assert await tokens.list() == []
    with pytest.raises(TokenNotFound):
        await tokens.revoke(created.id)


@pytest.mark.parametrize("write", [str, lambda id_: id_.hex.upper(), lambda id_: id_])
async def test_an_id_means_its_own_token_whatever_another_is_named(
    tokens: TokenService, database: Database, write: Callable[[UUID], UUID | str]
) -> None:
    for _ in range(2):
        leaked, shield = await tokens.create("leaked", []), await tokens.create("shield", [])
        given = write(leaked.id)
        async with database.session() as session:
            # As stored before such names were refused.
            (await session.get_one(Token, shield.id)).name = str(given)
        assert (await tokens.revoke(given)).id == leaked.id
        with pytest.raises(TokenNotFound):
            await tokens.revoke(given)
        assert [token.id for token in await tokens.list()] == [shield.id]
        await tokens.revoke(shield.id)


async def test_a_token_named_like_no_id_of_another_is_revoked_by_its_name(
    tokens: TokenService, database: Database
) -> None:
    created, name = await tokens.create("ci", []), str(new_id())
    async with database.session() as session:
        (await session.get_one(Token, created.id)).name = name
    assert (await tokens.revoke(name)).id == created.id


@pytest.mark.parametrize("write", [str, "{{{}}}".format, "urn:uuid:{}".format, lambda id_: id_.hex])
async def test_a_name_that_reads_as_an_id_is_refused(
    tokens: TokenService, write: Callable[[UUID], str]
) -> None:
    name = write(new_id())
    with pytest.raises(UnusableName, match=f"'{re.escape(name)}' of a token reads as the id"):
        await tokens.create(name, [])


async def test_a_token_pasted_for_its_name_is_not_repeated_in_the_error(
    tokens: TokenService,
) -> None:
    created = await tokens.create("ci", [])
    with pytest.raises(TokenNotFound) as caught:
        await tokens.revoke(created.token)
    assert created.token not in str(caught.value)


@pytest.mark.parametrize(
    ("permissions", "roles"),
    [(["Reports.Generate"], []), (["Reports.*"], []), (["*"], []), ([], ["Admin"])],
)
async def test_nobody_gives_a_token_more_than_they_have(
    tokens: TokenService, permissions: list[str], roles: list[str]
) -> None:
    viewer = Principal("user:1", "vera", grants=frozenset({"Reports.View"}))
    with pytest.raises(NotYoursToGrant, match="vera lacks"):
        await tokens.create("ci", permissions, roles, creator=viewer)


async def test_nobody_revokes_the_token_of_somebody_mightier(
    tokens: TokenService,
) -> None:
    manager = Principal("user:1", "mara", grants=frozenset({"Identity.ManageTokens"}))
    created = await tokens.create("root", ["*"])
    own = await tokens.create("own", ["Identity.ManageTokens"], creator=manager)
    with ActingFor(caller_of(manager)):
        with pytest.raises(NotYoursToManage, match=r"'root' has \*, which mara lacks"):
            await tokens.revoke(created.id)
        await tokens.revoke(own.id)
    assert [token.name for token in await tokens.list()] == ["root"]


async def test_somebody_gives_what_they_have_and_is_remembered(tokens: TokenService) -> None:
    manager = Principal("user:1", "mara", grants=frozenset({"Reports.*"}))
    await tokens.create("ci", ["Reports.View", "Reports.*"], ["Viewer"], creator=manager)
    assert (await tokens.list())[0].created_by == "user:1"
