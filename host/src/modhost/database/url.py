"""The URL of the database: checked, and shown without its password."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from modhost.database.errors import BadDatabaseUrl
from modhost.database.postgres.address import PostgresAddress
from modhost.database.url_parts import split_url

_EXAMPLES: Final = "sqlite:///var/modhost.db or postgresql://user@host/database"
_URL: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseUrl:
    """A database that the host can use: a file of SQLite, or the address of a PostgreSQL."""

    found: Path | PostgresAddress

    @classmethod
    def parse(cls, text: str) -> "DatabaseUrl":
        """Parse and check a URL. Raises `BadDatabaseUrl`, which shows no part of it."""
        match = _URL.fullmatch(text.strip())
        if match is None:
            raise BadDatabaseUrl(f"The database URL cannot be read; write it like {_EXAMPLES}.")
        kind = match[1].lower().partition("+")[0]
        if kind == "sqlite":
            return cls(_file(match[2]))
        if kind in ("postgresql", "postgres"):
            return cls(PostgresAddress.of(split_url(match[2])))
        msg = f"The database {kind!r} is not supported; write a URL like {_EXAMPLES}."
        raise BadDatabaseUrl(msg)

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """The kind of the database."""
        return "sqlite" if isinstance(self.found, Path) else "postgresql"

    @property
    def path(self) -> Path:
        """The file of a SQLite database. Raises `TypeError` for another."""
        if not isinstance(self.found, Path):
            raise TypeError(f"{self} is not a SQLite database.")
        return self.found

    @property
    def address(self) -> PostgresAddress:
        """The address of a PostgreSQL database. Raises `TypeError` for another."""
        if isinstance(self.found, Path):
            raise TypeError(f"{self} is not a PostgreSQL database.")
        return self.found

    def __str__(self) -> str:
        return f"sqlite:///{self.found}" if isinstance(self.found, Path) else str(self.found)

    __repr__ = __str__


def _file(rest: str) -> Path:
    if rest and not rest.startswith("/"):
        msg = "The SQLite URL names a host; a file needs three slashes: sqlite:///file."
        raise BadDatabaseUrl(msg)
    name, _, parameters = rest[1:].partition("?")
    if not name or name == ":memory:":
        msg = "A SQLite database in memory would lose every job at the end of the process; name a "
        msg += "file, e.g. sqlite:///var/modhost.db."
        raise BadDatabaseUrl(msg)
    if parameters:
        raise BadDatabaseUrl("The SQLite URL has parameters after a ?; the host takes none.")
    if "\0" in name:
        raise BadDatabaseUrl("The SQLite URL has a NUL character; remove it.")
    # Absolute, since the working directory of a process may change.
    return Path(name).absolute()
