"""Durations on the command line, written as in the configuration."""

from datetime import timedelta
from typing import Any

import click

from modhost.durations import parse_duration


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
