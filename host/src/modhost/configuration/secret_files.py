"""Options whose value is read from a file: `<option>_file` for secrets, and for URLs."""

import re
from pathlib import Path as FilePath
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from modhost.checks import Finding, rules
from modhost.configuration.binding_errors import key_name
from modhost.configuration.option_types import (
    FILE_SUFFIX,
    Path,
    model_of,
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

    def read(self, table: dict[str, Any], model: type[BaseModel], within: Path = ()) -> None:
        """Replace in a table of the section, and in the tables in it."""
        options = options_in(model)
        for name, field in options.items():
            key = f"{name}{FILE_SUFFIX}"
            if key in table and key not in options and _may_be_read(name, model):
                self._replace(table, (*within, name), field)
            below, inner = model_of(field.annotation), table.get(name)
            if below is not None and isinstance(inner, dict):
                self.read(inner, below, (*within, name))

    def _replace(self, table: dict[str, Any], path: Path, field: FieldInfo) -> None:
        *_, name = path
        source = table.pop(f"{name}{FILE_SUFFIX}")
        if name in table:
            self._refuse(path, f"is set, and {name} as well", "Keep one of the two.", also=path)
        elif not isinstance(source, str):
            self._refuse(path, f"is {source!r}", "Write the path of a file, in quotes.")
        else:
            self._read(table, path, field, self._folder / source)

    def _read(self, table: dict[str, Any], path: Path, field: FieldInfo, file: FilePath) -> None:
        try:
            # A byte order mark is not part of the secret.
            text = file.read_bytes().decode("utf-8-sig")
        except OSError as error:
            reason = f"names {file}, which cannot be read: {error.strerror}"
            self._refuse(path, reason, "Let this user read the file, or name another.")
        except UnicodeDecodeError:
            self._refuse(path, f"names {file}, which is not a text in UTF-8", "Name another file.")
        except ValueError:
            self._refuse(path, "has a NUL character", "Name a file.")
        else:
            text = re.sub(r"\r?\n\Z", "", text)
            if not text:
                self._refuse(path, f"names {file}, which is empty", "Write the value into it.")
            table[path[-1]] = read_as(type_of(field), text)
            self._values.note_file((*self._section, *path), str(file))

    def _refuse(self, path: Path, what: str, remedy: str, also: Path | None = None) -> None:
        key = (*path[:-1], f"{path[-1]}{FILE_SUFFIX}")
        places = [self._values.origin((*self._section, *each)) for each in (key, also) if each]
        where = " and ".join(dict.fromkeys(places))
        detail = f"{where}: {key_name(self._section, key)} {what}."
        self.findings.append(Finding(rules.BAD_VALUE, detail, remedy, self._module))

    @property
    def _module(self) -> str | None:
        return self._section[1] if self._section[0] == "modules" else None


def _may_be_read(name: str, model: type[BaseModel]) -> bool:
    return _URL_NAME.search(name) is not None or is_secret_option((name,), model)
