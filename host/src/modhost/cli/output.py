"""The options that commands share, and their output: sentences and tables, or JSON."""

import contextlib
import json
import os
import sys
import traceback
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any, NoReturn

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


def show(
    rows: Sequence[Mapping[str, Any]],
    *,
    as_json: bool,
    empty: str = "Nothing.",
    multiline: Collection[str] = (),
) -> None:
    """Print rows, which all have the same keys, as JSON or as a table.

    The texts of the columns `multiline` keep their lines; those of others are in one.
    """
    if as_json:
        print_json([dict(row) for row in rows])
        return
    if not rows:
        click.echo(empty)
        return
    header = list(rows[0])
    lines = [header]
    for row in rows:
        cells = [_lines(row[name]) if name in multiline else [_cell(row[name])] for name in header]
        lines += [list(line) for line in zip_longest(*cells, fillvalue="")]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        padded = (
            cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)
        )
        click.echo("  ".join(padded).rstrip())


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


def _lines(value: object) -> list[str]:
    return [without_controls(line.expandtabs(4)) for line in str(value).splitlines()] or [""]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def is_of_output(error: OSError) -> bool:
    """Return whether this is the failure to print something, and not one of a file or a server."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_code is click.echo.__code__ for frame, _ in frames)


def discard_output() -> None:
    """Print nothing any more: what is left in the buffer would fail again at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def give_up_output(error: OSError) -> NoReturn:
    """Exit with 1, and one line, since nothing can be printed any more."""
    discard_output()
    with contextlib.suppress(OSError):
        click.echo(f"Error: The output cannot be written: {error.strerror}.", err=True)
    sys.exit(1)
