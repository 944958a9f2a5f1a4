"""Options whose value is read from a file: `<option>_file` for secrets, and for URLs."""

import re
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from modhost.checks import Finding, rules
from modhost.configuration.binding_errors import place_name
from modhost.configuration.inner_types import Place, models_at
from modhost.configuration.option_types import (
    FILE_SUFFIX,
    Path,
    options_in,
    read_as,
    type_of,
)
from modhost.configuration.redaction import is_secret_option
from modhost.configuration.values import Values

_URL_NAME: Final = re.compile(r"(?i)(^|_)ur[il]$|[a-z]Ur[il]$")
"""URLs often have a password."""


class SecretFiles:
    """Replaces `<option>_file` by the option, read from that file, in the tables of a section.

    Attributes:
        findings: what is wrong with files.

    """

    def __init__(self, values: Values, section: Path, folder: FilePath) -> None:
        self._values = values
        self._section = section
        self._folder = folder
        self.findings: list[Finding] = []

    def read(self, value: Any, model: type[BaseModel], within: Place = ()) -> None:
        """Replace in the table of the section, and in all tables in it.

        Args:
            value: the table, or something in it.
            model: that of the section.
            within: where the value is.

        """
        if isinstance(value, dict):
            models = models_at(within, model)
            options = {name for each in models for name in options_in(each)}
            for each in models:
                for name, field in options_in(each).items():
                    key = f"{name}{FILE_SUFFIX}"
                    if key in value and key not in options and _may_be_read(name, each):
                        self._replace(value, (*within, name), field)
            for key, below in value.items():
                self.read(below, model, (*within, key))
        elif isinstance(value, list):
            for index, below in enumerate(value):
                self.read(below, model, (*within, index))

    def _replace(self, table: dict[str, Any], place: Place, field: FieldInfo) -> None:
        name = str(place[-1])
        source = table.pop(f"{name}{FILE_SUFFIX}")
        if name in table:
            self._refuse(place, f"is set, and {name} as well", "Keep one of the two.", also=place)
        elif not isinstance(source, str):
            self._refuse(place, f"is {source!r}", "Write the path of a file, in quotes.")
        else:
            self._read(table, place, field, self._folder / source)

    def _read(self, table: dict[str, Any], place: Place, field: FieldInfo, file: FilePath) -> None:
        try:
            # A byte order mark is not part of the secret.
            text = file.read_bytes().decode("utf-8-sig")
        except OSError as error:
            reason = f"names {file}, which cannot be read: {error.strerror}"
            self._refuse(place, reason, "Let this user read the file, or name another.")
        except UnicodeDecodeError:
            self._refuse(place, f"names {file}, which is not a text in UTF-8", "Name another file.")
        except ValueError:
            self._refuse(place, "has a NUL character", "Name a file.")
        else:
            text = re.sub(r"\r?\n\Z", "", text)
            if not text:
                self._refuse(place, f"names {file}, which is empty", "Write the value into it.")
            table[str(place[-1])] = read_as(type_of(field), text)
            self._values.note_file((*self._section, *map(str, place)), str(file))

    def _refuse(self, place: Place, what: str, remedy: str, also: Place | None = None) -> None:
        key = (*place[:-1], f"{place[-1]}{FILE_SUFFIX}")
        paths = [(*self._section, *map(str, each)) for each in (key, also) if each]
        where = " and ".join(dict.fromkeys(map(self._values.origin, paths)))
        detail = f"{where}: {place_name(self._section, key)} {what}."
        self.findings.append(Finding(rules.BAD_VALUE, detail, remedy, self._module))

    @property
    def _module(self) -> str | None:
        return self._section[1] if self._section[0] == "modules" else None


def _may_be_read(name: str, model: type[BaseModel]) -> bool:
    return _URL_NAME.search(name) is not None or is_secret_option((name,), model)
