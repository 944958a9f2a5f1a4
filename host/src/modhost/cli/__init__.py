"""The command line `modhost`, and the parts that commands of modules are made of."""

from modhost.cli.context import host_scope, with_scope
from modhost.cli.main import main
from modhost.cli.output import print_json, print_result, show, show_fields, without_controls
from modhost.cli.usage import as_json

__all__ = [
    "as_json",
    "host_scope",
    "main",
    "print_json",
    "print_result",
    "show",
    "show_fields",
    "with_scope",
    "without_controls",
]
