"""A role of PostgreSQL, and what it may do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import anyio
import asyncpg
from sqlalchemy.engine import make_url

from diagnosis.support import Doctor
from docs.pages import page, section
from postgres import Postgres


class Grants:
    """A role of the server, and the owner of a migrated database, who grants it rights."""

    def __init__(self, owner_url: str, role: str, doctor: Doctor) -> None:
        self.owner_url = owner_url
        self.role = role
        self.doctor = doctor

    async def run(self, statements: str) -> None:
        connection = await asyncpg.connect(self.owner_url)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    async def grant_what_the_page_says(self) -> None:
        text = section(page("operations.md"), "A role without CREATE")
        (block,) = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
        await self.run(block.replace("modhost_app", self.role))

    async def examined(self, exits: int) -> list[dict[str, str]]:
        return await anyio.to_thread.run_sync(lambda: self.doctor.findings(exits=exits))


@contextmanager
def granted(postgres: Postgres, owner_url: str, folder: Path) -> Iterator[Grants]:
    """Offer a role that may do nothing yet, for a database that it does not own."""
    role = f"app_{uuid4().hex}"
    postgres.run(f"CREATE ROLE {role} LOGIN PASSWORD 'app'")
    try:
        url = make_url(owner_url).set(username=role, password="app")
        doctor = Doctor.of(folder, url.render_as_string(hide_password=False))
        yield Grants(owner_url, role, doctor)
    finally:
        postgres.drop(make_url(owner_url).database or "")
        postgres.run(f"DROP ROLE {role}")
