"""Options that commands share, and bad usage reported in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
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


class BadUsage(click.ClickException):
    """A command that is not valid as it was given."""

    exit_code = 2


@contextmanager
def usage_errors_in_one_line() -> Iterator[None]:
    """Turn click's usage errors, which take four lines, into `BadUsage`."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        # A group without a command: its help is the answer.
        raise
    except click.UsageError as error:
        message = " ".join(error.format_message().split())
        line = message if message.endswith((".", "?", "?)")) else f"{message}."
        if error.ctx:
            line += f" See `{error.ctx.command_path} --help`."
        raise BadUsage(line) from error
