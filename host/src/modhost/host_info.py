"""What a module may know of the host that runs it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class HostInfo:
    """The host's own facts.

    Attributes:
        role: `web` serves pages and the API (`modhost run`), `worker` only health
            (`modhost worker`), `command` runs one command and ends.
        environment: `development` or `production`.
        version: the version of the `modhost` distribution.

    """

    role: Literal["web", "worker", "command"]
    environment: Literal["development", "production"]
    version: str
