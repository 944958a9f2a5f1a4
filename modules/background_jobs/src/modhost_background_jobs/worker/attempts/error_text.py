"""Errors of jobs as people read them: secrets masked, then bounded, the traceback by its end."""

import traceback
from collections.abc import Callable
from typing import Final

MAX_CHARACTERS: Final = 16_000
MAX_MESSAGE: Final = 4_000
"""Bounds a message that a traceback follows; half of it is the end."""
FRAMES: Final = 30
CUT: Final = "\N{HORIZONTAL ELLIPSIS}"


def printable(text: object) -> str:
    """Return a bounded text without what no database stores: NUL and lone surrogates."""
    cleaned = _cleaned(text_of(text))
    return cleaned if len(cleaned) <= MAX_CHARACTERS else cleaned[: MAX_CHARACTERS - 1] + CUT


def describe(
    error: BaseException, redact: Callable[[str], str] = str, *, chained: bool = True
) -> str:
    """Return an error's own line first, then its traceback, for pages and for operators.

    Args:
        error: what was raised.
        redact: masks the secrets of a text, before anything of it is cut off.
        chained: whether to show the causes of the error too.

    """
    try:
        described = traceback.TracebackException.from_exception(error, limit=-FRAMES)
        trace = "".join(_without_middle(redact(each)) for each in described.format(chain=chained))
    except Exception as failure:  # noqa: BLE001 - it asks the errors and their causes for texts
        trace = f"(without a traceback: {type(failure).__qualname__})"
    return followed_by(_without_middle(redact(summary(error))), trace)


def followed_by(first: str, more: str) -> str:
    """Return a bounded text of two parts; what is too much is cut off where the second begins."""
    head = _cleaned(f"{first}\n\n")
    tail = _cleaned(more)
    room = MAX_CHARACTERS - len(head)
    return head + (tail if len(tail) <= room else f"{CUT}\n{tail[2 - room :]}")


def summary(error: BaseException) -> str:
    """Return what kind of error it is, and its text."""
    return f"{type(error).__qualname__}: {text_of(error)}".removesuffix(": ")


def text_of(value: object) -> str:
    """Return the text of a value, whatever its `__str__` does."""
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - an error's `__str__` may raise anything
        return f"(its text is unavailable: {type(error).__qualname__})"


def forget_frames(error: BaseException) -> None:
    """Free what the frames of an error and of its causes hold; its traceback stays readable.

    The thread that raised it keeps the error until its next job, and frames refer to each other.
    """
    errors: list[BaseException | None] = [error]
    seen: set[int] = set()
    while errors:
        each = errors.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        traceback.clear_frames(each.__traceback__)
        errors += (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            errors += each.exceptions


def _cleaned(text: str) -> str:
    text = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode("utf-8")


def _without_middle(text: str) -> str:
    half = MAX_MESSAGE // 2
    return text if len(text) <= MAX_MESSAGE else f"{text[:half]} {CUT} {text[-half:]}"
