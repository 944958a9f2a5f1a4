"""`python -m modhost`."""

from modhost.cli import main

main()
