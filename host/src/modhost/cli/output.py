"""How commands print: a table for people, JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str = "Nothing.") -> None:
    """Print rows, which all have the same keys."""
    if as_json:
        print_json([dict(row) for row in rows])
    elif not rows:
        click.echo(empty)
    else:
        _show_table(rows)


def show_fields(fields: Mapping[str, Any]) -> None:
    """Print the fields of one thing, a line each."""
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name.ljust(width)}  {_cell(value)}")


def print_json(value: object) -> None:
    """Print a value as JSON, times in UTC with `Z`."""
    click.echo(json.dumps(value, default=plain, indent=2))


def without_controls(text: str) -> str:
    """Return the text with a blank for all that would steer the terminal or break the line."""
    return "".join(each if each.isprintable() else " " for each in text)


def plain(value: object) -> object:
    """Return a value as JSON has it: times in UTC with `Z`, anything else as its text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


def _show_table(rows: Sequence[Mapping[str, Any]]) -> None:
    header = list(rows[0])
    lines = [header, *([_cell(row[name]) for name in header] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _cell(value: object) -> str:
    if value is None or value in ([], ()):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, list | tuple):
        return without_controls(", ".join(map(str, value)))
    return without_controls(str(value))
