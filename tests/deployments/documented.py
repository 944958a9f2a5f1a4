"""The blocks of the documentation that deploy the host, with what differs on this machine."""

import re
import shlex
from dataclasses import dataclass
from typing import Any

import yaml

from docs.pages import page

OPERATIONS = page("operations.md")
SECURITY = page("security.md")


def blocks(text: str, language: str) -> list[str]:
    """Return the blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Service:
    """A service of the compose file: what it runs, with which variables."""

    words: list[str]
    environment: dict[str, str]


class ComposeFile:
    """The compose file of the page about operations."""

    def __init__(self, **variables: str) -> None:
        (text,) = blocks(OPERATIONS, "yaml")
        self._variables = variables
        self.services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]

    def own(self) -> list[str]:
        """Return the names of the services that are built from this repository."""
        return [name for name, service in self.services.items() if "build" in service]

    def service(self, name: str) -> Service:
        found = self.services[name]
        environment = {
            key: re.sub(r"\$\{(\w+)\}", lambda match: self._variables[match[1]], str(value))
            for key, value in found["environment"].items()
        }
        return Service(shlex.split(found["command"]), environment)


def nginx_block(listens_on: str) -> str:
    """Return the documented server that listens on a port."""
    (found,) = [each for each in blocks(SECURITY, "nginx") if f"listen {listens_on} ssl" in each]
    return found
