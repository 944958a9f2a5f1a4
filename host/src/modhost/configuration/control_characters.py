"""Refuse control characters in options: paths, addresses and headers fail on them later."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from modhost.checks import Finding, rules
from modhost.configuration.binding_errors import place_name
from modhost.configuration.option_types import Path
from modhost.configuration.values import Values

_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_OTHER_THAN_LINES: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
"""Modules may take texts of several lines."""

_Place = tuple[int | str, ...]


def control_characters(table: Mapping[str, Any], section: Path, values: Values) -> list[Finding]:
    """Return a finding for each text of a section with a character that it may not have.

    Args:
        table: what is to be bound.
        section: `[host]` or `[modules.<name>]`.
        values: for the origin of each text.

    """
    module = section[1] if section[0] == "modules" else None
    forbidden = _OTHER_THAN_LINES if module else _CONTROLS
    findings = []
    for place, text in _texts(table):
        if match := forbidden.search(text):
            origin = values.origin((*section, *map(str, place)))
            # The rest may be a secret.
            detail = f"{origin}: {place_name(section, place)} has the control character "
            detail += f"{match[0]!r} at position {match.start() + 1}."
            findings.append(Finding(rules.BAD_VALUE, detail, "Write it without.", module))
    return findings


def _texts(value: Any, place: _Place = ()) -> Iterator[tuple[_Place, str]]:
    """Yield each text, keys of tables included, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, below in value.items():
            yield place, key
            yield from _texts(below, (*place, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _texts(below, (*place, index))
