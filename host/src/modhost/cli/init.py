"""`modhost init`: write a configuration to begin with."""

import json
import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any, Final

import click
from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from modhost.cli.context import BadUsage
from modhost.cli.unconfigured import unconfigured
from modhost.configuration import DEFAULT_FILE
from modhost.durations import format_duration

_ABOUT: Final = {
    "bind": "The address to listen on.",
    "database_url": "A file below this folder, or postgresql://user@host/name.",
    "environment": 'Before others can reach the host: "production", with the two options below.',
}
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
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
        lines += ["", f"[modules.{name}]", *_entries(options)]
    return "\n".join([*lines, ""])


def _entries(table: Mapping[Any, Any]) -> list[str]:
    # TOML has no null.
    return [_entry(str(key), value) for key, value in table.items() if value is not None]


def _entry(key: str, value: object) -> str:
    return f"{key if _BARE_KEY.fullmatch(key) else _text(key)} = {_value(value)}"


def _value(value: object) -> str:
    match value:
        case timedelta():
            return _text(format_duration(value))
        case date():
            return value.isoformat()
        case time() if value.tzinfo is None:
            return value.isoformat()
        case SecretStr():
            return _text(value.get_secret_value())
        case Mapping():
            return f"{{ {', '.join(_entries(value))} }}" if value else "{}"
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(_value(each) for each in value if each is not None)}]"
    plain = to_jsonable_python(value)
    match plain:
        case bool():
            return str(plain).lower()
        case int() | float():
            return repr(plain)
        case str():
            return _text(plain)
        case _:
            return _value(plain)


def _text(text: str) -> str:
    # As in JSON, but for the two halves by which that escapes a rare character.
    return json.dumps(text, ensure_ascii=False)
