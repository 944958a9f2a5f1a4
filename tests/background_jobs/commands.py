"""The command line, beside a host that runs."""

import json
from pathlib import Path
from typing import Any

import anyio.to_thread
from click.testing import CliRunner, Result

from modhost.cli.main import cli


class Commands:
    """The command line, as an operator has it beside a host that runs."""

    def __init__(self, config: Path) -> None:
        self.config = config

    async def run(self, *words: str) -> Result:
        def invoke() -> Result:
            return CliRunner().invoke(cli, ["--config", str(self.config), "jobs", *words])

        return await anyio.to_thread.run_sync(invoke)

    async def done(self, *words: str) -> str:
        run = await self.run(*words)
        assert run.exit_code == 0, run.output
        return run.stdout

    async def json(self, *words: str) -> Any:
        return json.loads(await self.done(*words, "--json"))
