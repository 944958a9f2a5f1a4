"""The command line, as an operator has it."""

from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from modhost.cli.main import cli


@dataclass(frozen=True)
class CommandLine:
    """Commands with a configuration."""

    config: Path

    @classmethod
    def of(cls, folder: Path, database_url: str, lines: str = "") -> "CommandLine":
        """Write a configuration for a database; the lines follow those of `[host]`."""
        config = folder / "host.toml"
        config.write_text(
            f'[host]\nenvironment = "development"\ndatabase_url = "{database_url}"\n{lines}\n'
        )
        return cls(config)

    def run(self, *words: str, given: str = "") -> Result:
        """Run a command; what it raises is left in the result."""
        return CliRunner().invoke(cli, ["--config", str(self.config), *words], input=given)
