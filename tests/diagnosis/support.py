"""`modhost doctor`, on a database of the test's own."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from modhost.cli.main import cli
from modhost.database import Database


@dataclass(frozen=True)
class Doctor:
    """An operator's command line."""

    config: Path
    database_url: str

    @classmethod
    def of(cls, folder: Path, database_url: str, lines: str = "") -> "Doctor":
        """Write a configuration for a database; the lines are further options of `[host]`."""
        config = folder / "host.toml"
        config.write_text(f'[host]\ndatabase_url = "{database_url}"\n{lines}\n')
        return cls(config, database_url)

    def modhost(self, *words: str) -> Result:
        return CliRunner().invoke(
            cli, ["--config", str(self.config), *words], catch_exceptions=False
        )

    def migrate(self) -> "Doctor":
        done = self.modhost("migrate")
        assert done.exit_code == 0, done.output
        return self

    def findings(self, *words: str, exits: int) -> list[dict[str, Any]]:
        """Return what the doctor finds; it has to end with an exit code."""
        run = self.modhost("doctor", "--json", *words)
        assert run.exit_code == exits, run.output
        found: list[dict[str, Any]] = json.loads(run.stdout)
        return found

    def table(self, schema: str, name: str) -> str:
        """Return the name of a table in the database."""
        return f"{schema}{'_' if self.database_url.startswith('sqlite') else '.'}{name}"

    def sql(self, statement: str, **values: object) -> None:
        """Change the database behind the host's back."""

        async def execute() -> None:
            async with (
                Database(self.database_url).open() as database,
                database.session() as session,
            ):
                await (await session.connection()).execute(text(statement), values)

        anyio.run(execute)


def install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, source: str, **more: str
) -> None:
    """Make a module found as an installed distribution `acme-<name>`; it is the class `Acme`.

    `more` are revisions of its migrations.
    """
    package = f"acme_{name}"
    folder = tmp_path / "installed"
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[modhost.modules]\n{name} = {package}:Acme\n")
    versions = folder / package / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / package / "__init__.py").write_text(source)
    (folder / package / "migrations" / "__init__.py").touch()
    for revision, written in more.items():
        (versions / f"{revision}.py").write_text(written)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, package, raising=False)
