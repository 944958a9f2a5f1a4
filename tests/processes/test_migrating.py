"""`modhost migrate` while another process migrates."""

import pytest

from database.test_slow_migrations import another_migrates
from processes.deployment import Deployment

pytestmark = pytest.mark.anyio


async def test_the_command_says_that_it_waits_for_another(
    deployment: Deployment, database_url: str
) -> None:
    async with another_migrates(database_url):
        command = deployment.start("migrate")
        await command.logs("Another process .*; the migration waits for it.")
    assert await command.exit_code() == 0
    assert "All tables are at their newest revision." in command.log
