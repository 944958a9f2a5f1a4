"""The command line `modhost`, and the parts that commands of modules are made of."""

from modhost.cli.context import host_scope, with_scope
from modhost.cli.main import main
from modhost.cli.output import (
    as_json,
    print_json,
    print_result,
    show,
    show_fields,
    without_controls,
)

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
