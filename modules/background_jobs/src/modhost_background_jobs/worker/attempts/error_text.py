"""Text that both databases can store."""

import traceback
from typing import Final

MAX_CHARACTERS: Final = 16_000


def text_of(value: object) -> str:
    """Return what the value says of itself, whatever its own code does when it is asked."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - an error's `__str__` may raise anything
        return f"(its text cannot be told: {type(error).__qualname__})"


def printable(text: object) -> str:
    """Return the text, bounded, without what no database takes: NUL and lone surrogates."""
    cleaned = text_of(text).replace("\x00", "\N{REPLACEMENT CHARACTER}")
    cleaned = cleaned.encode("utf-8", "replace").decode("utf-8")
    if len(cleaned) > MAX_CHARACTERS:
        cleaned = cleaned[: MAX_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return cleaned


def describe(error: BaseException) -> str:
    """Return an error's own line first, then its traceback, for pages and for operators."""
    return printable(f"{_summary(error)}\n\n{_trace(error)}")


def describe_briefly(error: BaseException) -> str:
    """Return an error's own line alone, for one that a job raised to say why it failed."""
    return printable(_summary(error))


def _summary(error: BaseException) -> str:
    return f"{type(error).__qualname__}: {text_of(error)}".removesuffix(": ")


def _trace(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error, limit=-30))
    except Exception as failure:  # noqa: BLE001 - it asks the errors and their causes for texts
        return f"(without a traceback: {type(failure).__qualname__})"
