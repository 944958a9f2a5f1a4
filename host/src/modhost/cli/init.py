"""`modhost init`: write a configuration to begin with."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from modhost.cli.context import BadUsage
from modhost.cli.unconfigured import unconfigured
from modhost.configuration import DEFAULT_FILE

_ABOUT: Final = {
    "bind": "The address to listen on.",
    "database_url": "A file below this folder, or postgresql://user@host/name.",
    "environment": 'Before others can reach the host: "production", with the two options below.',
}
_PUBLIC: Final = """
# Where browsers find the host, and the proxy that ends TLS in front of it.
# public_url = "https://jobs.example.org/"
# trusted_proxies = ["127.0.0.1"]
"""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_FILE)
def init(file: Path) -> None:
    """Write a configuration to begin with: that of `modhost run` without one."""
    if file.exists():
        raise BadUsage(f"{file} exists, and is not overwritten. Edit it, or name another file.")
    text = _as_toml(unconfigured())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise BadUsage(f"Cannot write {file}: {error.strerror}.") from error
    config = "" if file == DEFAULT_FILE else f" --config {file}"
    click.echo(f"Wrote {file}. Edit it, then start the host: `modhost run{config}`.")


def _as_toml(tables: Mapping[str, Any]) -> str:
    lines = [
        "# `modhost config --describe` shows all options, and what they are for.",
        "",
        "[host]",
    ]
    for key, value in tables["host"].items():
        lines += [f"# {_ABOUT[key]}", _entry(key, value)]
    lines += _PUBLIC.splitlines()
    for name, options in tables["modules"].items():
        lines += ["", f"[modules.{name}]", *(_entry(*each) for each in options.items())]
    return "\n".join([*lines, ""])


def _entry(key: str, value: object) -> str:
    # Texts, numbers, truths and lists are written as in JSON.
    return f"{key} = {json.dumps(value)}"
