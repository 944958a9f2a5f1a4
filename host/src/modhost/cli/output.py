"""The options that commands share, and their output: sentences and tables, or JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from modhost.durations import parse_duration

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class DurationType(click.ParamType[timedelta]):
    """A number of seconds, or one with a unit, such as `30d`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Parse the duration, or fail with what is wrong as bad usage."""
        try:
            return value if isinstance(value, timedelta) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def print_result(fields: Mapping[str, Any], sentence: str, *, as_json: bool) -> None:
    """Print what a command did in one line, as JSON or as a sentence."""
    click.echo(json.dumps(fields, default=_plain) if as_json else sentence)


def show(rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str = "Nothing.") -> None:
    """Print rows, which all have the same keys, as JSON or as a table."""
    if as_json:
        print_json([dict(row) for row in rows])
        return
    if not rows:
        click.echo(empty)
        return
    header = list(rows[0])
    lines = [header, *([_cell(row[name]) for name in header] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def show_fields(fields: Mapping[str, Any]) -> None:
    """Print fields, one a line."""
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name.ljust(width)}  {_cell(value)}")


def print_json(value: object) -> None:
    """Print a value as JSON, times in UTC with `Z`."""
    click.echo(json.dumps(value, default=_plain, indent=2))


def counted(number: int, noun: str) -> str:
    """Return a number of things in words: `1 error`, `2 errors`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def without_controls(text: str) -> str:
    """Return the text with a space for each character that would steer the terminal."""
    return "".join(each if each.isprintable() else " " for each in text)


def _plain(value: object) -> object:
    """Return a value that JSON lacks as a text or list; times in UTC with `Z`."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


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
