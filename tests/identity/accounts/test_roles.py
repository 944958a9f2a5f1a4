"""Roles are added, changed and removed by those who have the rights."""

import pytest

from identity.support import PASSWORD, by_token
from modhost.caller import ActingFor, caller_of
from modhost.identity import RoleService, TokenService, UserService
from modhost.identity.errors import (
    FixedRole,
    NameTaken,
    NotYoursToGrant,
    NotYoursToManage,
    UnknownGrant,
    UnknownRole,
    UnusableName,
)
from modhost.permissions import Principal
from modhost.services import Scope

pytestmark = pytest.mark.anyio

MARA = Principal("user:1", "mara", grants=frozenset({"Identity.ManageUsers", "Reports.View"}))


@pytest.fixture
async def roles(scope: Scope) -> RoleService:
    return await scope.get(RoleService)


async def granted(roles: RoleService, name: str) -> set[str]:
    return {grant for role in await roles.list() if role.name == name for grant in role.grants}


async def test_a_role_is_added_changed_and_removed_for_all_who_have_it(
    roles: RoleService, scope: Scope
) -> None:
    tokens = await scope.get(TokenService)
    await roles.add("Clerk", ["Reports.View"])
    secret = (await tokens.create("ci", [], ["Clerk"])).token
    await roles.grant("Clerk", "Reports.Generate")
    await roles.revoke("Clerk", "Reports.View")
    principal = await by_token(scope, secret)
    assert principal is not None
    assert principal.grants == {"Reports.Generate"}
    await roles.remove("Clerk")
    await roles.add("Clerk", ["Reports.View"])
    principal = await by_token(scope, secret)
    assert principal is not None
    assert (principal.roles, principal.grants) == (frozenset(), frozenset())


async def test_what_modules_bring_stays(roles: RoleService) -> None:
    await roles.grant("Viewer", "Reports.Generate")
    assert await granted(roles, "Viewer") == {"Reports.View", "Reports.Generate"}
    with pytest.raises(FixedRole, match="from the module"):
        await roles.revoke("Viewer", "Reports.View")
    with pytest.raises(FixedRole, match="stays"):
        await roles.remove("Viewer")
    await roles.revoke("Viewer", "Reports.Generate")
    assert await granted(roles, "Viewer") == {"Reports.View"}
    for change in (roles.grant, roles.revoke):
        with pytest.raises(FixedRole):
            await change("Admin", "*")


@pytest.mark.parametrize("name", ["Viewer", "Admin", "Clerk"])
async def test_the_name_of_a_role_is_given_once(roles: RoleService, name: str) -> None:
    await roles.add("Clerk", [])
    with pytest.raises(NameTaken):
        await roles.add(name, [])


async def test_a_role_needs_a_name_and_permissions_that_exist(roles: RoleService) -> None:
    with pytest.raises(UnusableName):
        await roles.add(" ", [])
    with pytest.raises(UnknownGrant):
        await roles.add("Clerk", ["Reports.Vi*"])
    with pytest.raises(UnknownRole, match="Did you mean Viewer"):
        await roles.grant("Viewers", "Reports.View")


@pytest.mark.parametrize("grant", ["Reports.Generate", "Reports.*", "*"])
async def test_nobody_makes_a_role_mightier_than_themselves(roles: RoleService, grant: str) -> None:
    await roles.add("Clerk", [])
    with ActingFor(caller_of(MARA)):
        with pytest.raises(NotYoursToGrant, match="mara lacks"):
            await roles.add("Boss", [grant])
        with pytest.raises(NotYoursToGrant, match="mara lacks"):
            await roles.grant("Clerk", grant)
        await roles.grant("Clerk", "Reports.View")
    assert await granted(roles, "Clerk") == {"Reports.View"}


async def test_nobody_manages_a_user_who_may_more(roles: RoleService, scope: Scope) -> None:
    users = await scope.get(UserService)
    await users.add("anna", PASSWORD, ["Admin"])
    await users.add("vera", PASSWORD, ["Viewer"])
    await roles.add("Clerk", ["Reports.Generate"])
    with ActingFor(caller_of(MARA)):
        for change in (
            lambda: users.set_password("anna", "taken over by mara"),
            lambda: users.disable("anna"),
            lambda: users.assign("anna", "Viewer"),
            lambda: users.withdraw("anna", "Admin"),
        ):
            with pytest.raises(NotYoursToManage, match="which mara lacks"):
                await change()
        for role in ("Admin", "Clerk"):
            with pytest.raises(NotYoursToGrant):
                await users.assign("vera", role)
        await users.disable("vera")
        with pytest.raises(NotYoursToManage):
            await roles.remove("Clerk")
    assert {user.name: user.roles for user in await users.list()}["anna"] == ("Admin",)


async def test_a_user_gets_roles_and_loses_them(scope: Scope) -> None:
    users = await scope.get(UserService)
    vera = await users.add("vera", PASSWORD)
    assert (await users.assign("VERA", "Viewer")).roles == ("Viewer",)
    assert (await users.assign(vera.id, "Viewer")).roles == ("Viewer",)
    assert (await users.withdraw("vera", "Viewer")).roles == ()
    with pytest.raises(UnknownRole):
        await users.assign("vera", "Boss")


async def test_the_built_in_administrator_stays_one(scope: Scope) -> None:
    users = await scope.get(UserService)
    await users.add("admin", None, ["Admin"])
    with pytest.raises(FixedRole, match="built-in administrator"):
        await users.withdraw("admin", "Admin")
