"""What flow control may be asked for, checked for classes, calls and operators alike."""

from typing import Any, Final

MAX_QUEUE_NAME: Final = 100
MAX_TYPE_NAME: Final = 500
QUEUE_NAME: Final = (
    f"1 to {MAX_QUEUE_NAME} printable characters without a comma, an asterisk, or a blank at an "
    "end, and no exclamation mark at the beginning"
)
"""What the name of a queue is: the option `queues` gives the other characters a meaning."""


def is_queue_name(value: Any) -> bool:
    """Return whether a queue may have the name."""
    return (
        isinstance(value, str)
        and 1 <= len(value) <= MAX_QUEUE_NAME
        and value.isprintable()
        and value == value.strip()
        and not value.startswith("!")
        and not set(value) & {",", "*"}
    )


def is_type_name(value: Any) -> bool:
    """Return whether a job type that is paused may have the name."""
    return (
        isinstance(value, str)
        and len(value) <= MAX_TYPE_NAME
        and bool(value.strip())
        and value.isprintable()
    )
