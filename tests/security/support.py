"""Hosts to attack, and browsers and programs that do it."""

from collections.abc import Collection

import httpx2

from modhost.identity import LoginService, RoleService, UserService, Visitor
from modhost.testing import RunningHost

PASSWORD = "correct horse battery"
COOKIE = "modhost_session"


async def add_user(host: RunningHost, name: str, *roles: str) -> None:
    async with host.scope() as scope:
        await (await scope.get(UserService)).add(name, PASSWORD, roles)


async def add_role(host: RunningHost, name: str, permissions: Collection[str]) -> None:
    async with host.scope() as scope:
        await (await scope.get(RoleService)).add(name, permissions)


async def browser(host: RunningHost, name: str) -> httpx2.AsyncClient:
    """A browser in which a user is logged in."""
    async with host.scope() as scope:
        login = await scope.get(LoginService)
        session = await login.with_password(name, PASSWORD, Visitor("127.0.0.1"))
    client = await host.client()
    client.cookies.set(COOKIE, session)
    return client


async def user_id(host: RunningHost, name: str) -> str:
    async with host.scope() as scope:
        users = await (await scope.get(UserService)).list()
    return str(next(user.id for user in users if user.name == name))
