"""The command line: `modhost`, and what commands of modules are made with."""

from modhost.cli.context import host_scope
from modhost.cli.main import main
from modhost.cli.output import as_json, print_json, show, show_fields, without_controls

__all__ = [
    "as_json",
    "host_scope",
    "main",
    "print_json",
    "show",
    "show_fields",
    "without_controls",
]
