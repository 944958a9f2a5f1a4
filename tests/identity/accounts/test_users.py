"""Users are added, listed, disabled and enabled."""

import argon2
import pytest
from sqlmodel import select

from identity.support import PASSWORD
from modhost.database import Database
from modhost.identity import UserService
from modhost.identity.accounts.passwords import Passwords
from modhost.identity.errors import (
    NameTaken,
    NotYoursToGrant,
    UnknownRole,
    UnusableName,
    UnusablePassword,
    UserNotFound,
)
from modhost.identity.tables import User
from modhost.permissions import Principal
from modhost.services import Scope

pytestmark = pytest.mark.anyio


@pytest.fixture
async def users(scope: Scope) -> UserService:
    return await scope.get(UserService)


async def test_users_are_listed_by_name_with_their_roles(users: UserService) -> None:
    await users.add("vera", PASSWORD, ["Viewer"])
    await users.add("Anna", PASSWORD, ["Viewer", "Admin"])
    listed = [(user.name, user.roles, user.has_password) for user in await users.list()]
    assert listed == [("Anna", ("Admin", "Viewer"), True), ("vera", ("Viewer",), True)]


async def test_a_password_is_hashed_with_the_effort_that_rfc_9106_recommends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("modhost.identity.accounts.passwords.PasswordHasher", argon2.PasswordHasher)
    made = argon2.extract_parameters(await Passwords().hash(PASSWORD))
    assert (made.type, made.memory_cost, made.time_cost) == (argon2.Type.ID, 64 * 1024, 3)


async def test_a_password_is_stored_as_an_argon2_hash_only(
    users: UserService, database: Database
) -> None:
    await users.add("vera", PASSWORD)
    async with database.reading() as session:
        stored = (await session.exec(select(User))).one()
        assert stored.password_hash is not None
        assert stored.password_hash.startswith("$argon2id$")
        assert PASSWORD not in str(stored.model_dump())
        assert stored.password_hash not in repr(stored)


@pytest.mark.parametrize("twin", ["vera", "VERA", " vera ", "ｖｅｒａ"])
async def test_a_name_that_reads_the_same_is_taken(users: UserService, twin: str) -> None:
    await users.add("Vera", PASSWORD)
    with pytest.raises(NameTaken, match="choose another name"):
        await users.add(twin, PASSWORD)


@pytest.mark.parametrize(
    "password", ["", "seven77", "x" * 1025, "tab\tinside", "Password1", "Katharina"]
)
async def test_an_unusable_password_is_refused_without_being_repeated(
    users: UserService, password: str
) -> None:
    with pytest.raises(UnusablePassword) as caught:
        await users.add("katharina", password)
    assert not password or password not in str(caught.value)
    assert await users.list() == []


async def test_an_unknown_role_is_refused(users: UserService) -> None:
    with pytest.raises(UnknownRole, match=r"'admin'.*Did you mean Admin\?"):
        await users.add("vera", PASSWORD, ["admin"])


async def test_the_name_of_the_built_in_administrator_needs_its_role(users: UserService) -> None:
    with pytest.raises(UnusableName, match="give it the role Admin"):
        await users.add("Admin", PASSWORD, ["Viewer"])
    assert (await users.add("admin", PASSWORD, ["Admin"])).roles == ("Admin",)


async def test_nobody_makes_a_user_mightier_than_themselves(users: UserService) -> None:
    viewer = Principal("user:1", "vera", grants=frozenset({"Identity.ManageUsers"}))
    with pytest.raises(NotYoursToGrant):
        await users.add("anna", PASSWORD, ["Viewer"], creator=viewer)


async def test_a_user_is_disabled_and_enabled_again(users: UserService) -> None:
    await users.add("vera", PASSWORD)
    assert (await users.disable("VERA")).is_disabled
    assert not (await users.enable("vera")).is_disabled


async def test_a_mistyped_name_is_answered_with_what_is_near(users: UserService) -> None:
    await users.add("vera", PASSWORD)
    with pytest.raises(UserNotFound, match=r"'vear'. Did you mean vera\?"):
        await users.disable("vear")
