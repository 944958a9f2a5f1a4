"""The URL of the database, checked, and shown without its password."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from modhost.database.errors import BadDatabaseUrl

_EXAMPLES: Final = "sqlite:///var/modhost.db or postgresql://user@host/database"
_SECRET: Final = re.compile(r"(?i)password|secret|token|key")
_CACHE_SIZE: Final = "statement_cache_size"


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseUrl:
    """A URL that the host can use."""

    dialect: Literal["sqlite", "postgresql"]
    url: URL
    keeps_statements: bool = True
    """Whether prepared statements may outlive a transaction; not behind some poolers."""

    @classmethod
    def parse(cls, text: str) -> "DatabaseUrl":
        """Parse and check a URL. Raises `BadDatabaseUrl`."""
        try:
            url = make_url(text)
        except (ArgumentError, ValueError) as error:
            # The cause is left out: it would show the text, which may hold a password.
            msg = f"The database URL cannot be read; write it like {_EXAMPLES}."
            raise BadDatabaseUrl(msg) from error.__cause__
        kind = url.drivername.partition("+")[0]
        if kind == "sqlite":
            return cls("sqlite", _sqlite(url))
        if kind in ("postgresql", "postgres"):
            return _postgresql(cls, url.set(drivername="postgresql"))
        msg = f"The database {kind!r} is not supported; write a URL like {_EXAMPLES}."
        raise BadDatabaseUrl(msg)

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.database or "")

    @property
    def dsn(self) -> str:
        """The whole URL, password included, for the driver."""
        return self.url.render_as_string(hide_password=False)

    def for_engine(self) -> URL:
        """Return the URL with the driver for SQLAlchemy."""
        driver = "sqlite+aiosqlite" if self.dialect == "sqlite" else "postgresql+asyncpg"
        return self.url.set(drivername=driver)

    def __str__(self) -> str:
        return without_secrets(self.url)

    __repr__ = __str__


def without_secrets(url: URL) -> str:
    """Return a URL that may be shown, with its password and secret parameters hidden."""
    secret = [name for name in url.query if _SECRET.search(name)]
    return url.update_query_dict(dict.fromkeys(secret, "***")).render_as_string(hide_password=True)


def _postgresql(cls: type[DatabaseUrl], url: URL) -> DatabaseUrl:
    size = url.query.get(_CACHE_SIZE)
    if size not in (None, "0"):
        msg = f"The database URL says {_CACHE_SIZE}={size}; only 0 is possible."
        raise BadDatabaseUrl(msg)
    bare = url.difference_update_query([_CACHE_SIZE])
    return cls("postgresql", bare, keeps_statements=size is None)


def _sqlite(url: URL) -> URL:
    if url.host:
        msg = f"{url.render_as_string()} names a host; a file needs three slashes: sqlite:///file."
        raise BadDatabaseUrl(msg)
    if not url.database or url.database == ":memory:":
        msg = "A SQLite database in memory would lose every job at the end of the process; name a "
        msg += "file, e.g. sqlite:///var/modhost.db."
        raise BadDatabaseUrl(msg)
    if url.query:
        msg = f"The SQLite URL has parameters ({', '.join(url.query)}); the host takes none."
        raise BadDatabaseUrl(msg)
    return url.set(drivername="sqlite")
