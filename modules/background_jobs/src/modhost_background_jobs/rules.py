"""The rules that `modhost doctor` holds the queue to. The host's `docs/rules.md` explains them."""

from typing import Final

from modhost.checks import Rule

UNKNOWN_RECURRING_TYPE: Final = Rule("MH602", "Recurring job has a type that nobody registers")
UNKNOWN_WAITING_TYPE: Final = Rule(
    "MH603", "Jobs wait that no consumer knows the type of", "warning"
)
