"""The revisions of modules: where they are, and which of them a database lacks."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Migrations:
    """The revisions of one module: those in the folder `versions/` of a package."""

    module: str
    package: str
    distribution: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A module whose tables are behind; `current` is None before its first migration."""

    module: str
    current: str | None
    wanted: str
