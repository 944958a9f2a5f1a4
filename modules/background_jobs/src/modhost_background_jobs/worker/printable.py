"""Text that both databases can store."""

import traceback
from typing import Final

MOST_CHARACTERS: Final = 16_000


def printable(text: object) -> str:
    """Return the text, bounded, without what no database takes: NUL and lone surrogates."""
    cleaned = str(text).replace("\x00", "\N{REPLACEMENT CHARACTER}")
    cleaned = cleaned.encode("utf-8", "replace").decode("utf-8")
    if len(cleaned) > MOST_CHARACTERS:
        cleaned = cleaned[: MOST_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return cleaned


def describe(error: BaseException) -> str:
    """Return an error's own line first, then its traceback, for pages and for operators."""
    summary = f"{type(error).__qualname__}: {error}".removesuffix(": ")
    trace = "".join(traceback.format_exception(error, limit=-30))
    return printable(f"{summary}\n\n{trace}")
