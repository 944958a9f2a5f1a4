"""Bad usage, told in a line: what is wrong, and where to read on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

from modhost.durations import parse_duration


class BadUsage(click.ClickException):
    """A command that cannot be meant as it was given."""

    exit_code = 2


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """Turn click's errors of usage, which take four lines, into one."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        # A group without a command: its help is the answer.
        raise
    except click.UsageError as error:
        raise BadUsage(_line(error)) from error


def _line(error: click.UsageError) -> str:
    message = " ".join(error.format_message().split())
    sentence = message if message.endswith((".", "?", "?)")) else f"{message}."
    return f"{sentence} See `{error.ctx.command_path} --help`." if error.ctx else sentence


class DurationType(click.ParamType[timedelta]):
    """A number of seconds, or one with a unit, such as `30d`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it, or end with what is wrong as bad usage."""
        try:
            return value if isinstance(value, timedelta) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
