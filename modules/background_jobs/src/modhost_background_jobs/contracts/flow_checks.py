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


MAX_PRIORITY: Final = 100
PRIORITY: Final = f"a whole number from -{MAX_PRIORITY} to {MAX_PRIORITY}"


def is_priority(value: Any) -> bool:
    """Return whether a job may have the priority."""
    return type(value) is int and -MAX_PRIORITY <= value <= MAX_PRIORITY


MAX_TAGS: Final = 10
MAX_TAG: Final = 100
TAGS: Final = f"up to {MAX_TAGS} words, each 1 to {MAX_TAG} printable characters without a blank"


def is_tags(value: Any) -> bool:
    """Return whether a job may have the tags."""
    return isinstance(value, list | tuple) and len(value) <= MAX_TAGS and all(map(_is_tag, value))


def _is_tag(value: Any) -> bool:
    is_text = isinstance(value, str) and 1 <= len(value) <= MAX_TAG
    return is_text and value.isprintable() and " " not in value
