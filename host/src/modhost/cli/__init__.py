"""The command line: `modhost`."""

from modhost.cli.context import host_scope
from modhost.cli.main import main

__all__ = ["host_scope", "main"]
