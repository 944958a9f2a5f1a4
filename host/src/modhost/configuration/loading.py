"""Finding and reading the configuration file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modhost.checks import Finding, rules
from modhost.configuration.configuration import Configuration

DEFAULT_FILE: Final = Path("config/host.toml")
VARIABLE: Final = "MODHOST_CONFIG"


def load_configuration(path: Path | None, environ: Mapping[str, str]) -> Configuration:
    """Read the configuration.

    Without a path the file is the one that `MODHOST_CONFIG` names, else `config/host.toml` if it
    is there. What is wrong is told by `findings`.
    """
    chosen = path or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if chosen is None:
        chosen = DEFAULT_FILE if DEFAULT_FILE.exists() else None
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    if chosen is not None:
        try:
            values = tomllib.loads(chosen.read_text("utf-8"))
        except (OSError, ValueError) as error:
            findings.append(_unreadable(chosen, error))
    return Configuration(values, chosen, environ, findings)


def _unreadable(path: Path, error: Exception) -> Finding:
    if isinstance(error, FileNotFoundError):
        detail = f"the file {path} does not exist."
        remedy = f"Name another by --config or {VARIABLE}, or create it."
    elif isinstance(error, tomllib.TOMLDecodeError):
        detail, remedy = f"{path} is no valid TOML: {error}.", "Mend that line."
    else:
        reason = error.strerror if isinstance(error, OSError) else error
        detail, remedy = f"{path} cannot be read: {reason}.", "Make it a readable UTF-8 text file."
    return Finding(rules.BAD_CONFIGURATION_FILE, detail, remedy)
