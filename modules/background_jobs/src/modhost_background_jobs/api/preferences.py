"""What clients prefer of answers (RFC 7240): how long to wait for one."""

import re
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel, Field

MAX_WAIT_SECONDS: Final = 60
MAX_CHARACTERS: Final = 1_000
"""How much of the header is read: quotes without an end take quadratic time."""

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_MEMBER: Final = re.compile(rf'(?:[^",]|{_QUOTED})+')
_PREFERENCE: Final = re.compile(
    rf"\s*({_WORD})\s*(?:=\s*({_WORD}|{_QUOTED})\s*)?(?:;.*)?", re.DOTALL
)


class Preferences(BaseModel):
    """What a client prefers; what is malformed or unknown counts as not given."""

    prefer: list[str] = Field(
        default_factory=list,
        alias="Prefer",
        description="`wait=30` (RFC 7240): answer when the job has ended, or when so many seconds "
        f"have passed; {MAX_WAIT_SECONDS} at most.",
    )

    @property
    def wait_seconds(self) -> int | None:
        """How long to wait, at most `MAX_WAIT_SECONDS`; None where nothing is preferred."""
        value = next((value for name, value in self._all() if name == "wait"), "")
        # Not more digits than a number of seconds can have.
        if not re.fullmatch(r"[0-9]{1,9}", value):
            return None
        return min(int(value), MAX_WAIT_SECONDS)

    def _all(self) -> Iterator[tuple[str, str]]:
        """Yield each preference with its value; of several with one name the first counts."""
        for member in _MEMBER.findall(",".join(self.prefer)[:MAX_CHARACTERS]):
            if found := _PREFERENCE.fullmatch(member):
                name, value = found.groups(default="")
                yield name.lower(), re.sub(r"\\(.)", r"\1", value.strip('"'))
