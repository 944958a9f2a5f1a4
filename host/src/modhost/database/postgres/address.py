"""Where a PostgreSQL server is and how to connect to it, as the database URL says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import quote

from modhost.database.errors import BadDatabaseUrl
from modhost.database.postgres import tls
from modhost.database.url_parts import UrlParts, decoded

PARAMETERS: Final = (
    *("host", "port", *tls.PARAMETERS),
    *("application_name", "connect_timeout", "statement_cache_size"),
)
_HOST: Final = re.compile(r"(?:\[([^\[\]]+)\]|([^:\[\]]+))(?::([^:]*))?")
_PORT: Final = 5432
_MAX_PORT: Final = 65535

HostAndPort = tuple[str, int | None]


@dataclass(frozen=True, slots=True, repr=False)
class PostgresAddress:
    """The hosts of a database, and the parameters of every connection to it.

    Attributes:
        hosts: names, addresses, or folders of Unix sockets, each with its port; none for those
            that the driver tries by default.
        tls: the parameters about TLS that are given.
        connect_timeout: the seconds that each host has to answer.
        statement_cache_size: how many statements a connection keeps prepared; 0 for none, as
            behind some poolers; None for the driver's number, or none behind a pooler.

    """

    user: str | None
    password: str | None
    hosts: tuple[HostAndPort, ...]
    database: str | None
    tls: Mapping[str, str]
    application_name: str = "modhost"
    connect_timeout: float = 10.0
    statement_cache_size: int | None = None

    @classmethod
    def of(cls, url: UrlParts) -> "PostgresAddress":
        """Return the address that a URL names. Raises `BadDatabaseUrl`."""
        query = url.query
        if unknown := next((each for each in query if each not in PARAMETERS), None):
            raise BadDatabaseUrl(_unknown(unknown))
        size = query.get("statement_cache_size")
        if size is not None and not re.fullmatch(r"[0-9]{1,4}", size):
            msg = f"The database URL has statement_cache_size={size}; write a number of statements."
            raise BadDatabaseUrl(msg)
        return cls(
            user=url.user,
            password=url.password,
            hosts=tuple(_hosts(url.hosts, query)),
            database=url.database,
            tls=tls.tls_parameters(query),
            application_name=query.get("application_name", "modhost"),
            connect_timeout=_seconds(query.get("connect_timeout", "10")),
            statement_cache_size=None if size is None else int(size),
        )

    def arguments(self) -> dict[str, Any]:
        """Return what asyncpg takes to connect, but for the hosts."""
        size = self.statement_cache_size
        return {
            **tls.tls_arguments(self.tls),
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "timeout": self.connect_timeout,
            "server_settings": {"application_name": self.application_name, "timezone": "UTC"},
            **({} if size is None else {"statement_cache_size": size}),
        }

    def __str__(self) -> str:
        login = quote(self.user or "", safe="") + (":***" if self.password else "")
        hosts = ",".join(map(written, self.hosts))
        parameters = dict(self.tls)
        if any(name.startswith("/") for name, _ in self.hosts):
            parameters["host"] = ",".join(name for name, _ in self.hosts)
            if any(port for _, port in self.hosts):
                parameters["port"] = ",".join(str(port or _PORT) for _, port in self.hosts)
            hosts = ""
        query = "&".join(f"{name}={quote(each, safe='/,')}" for name, each in parameters.items())
        where = f"{login}@{hosts}" if login else hosts
        database = quote(self.database or "", safe="")
        return f"postgresql://{where}/{database}{query and '?'}{query}"


def written(host: HostAndPort) -> str:
    """Return a host as in a URL."""
    name, port = host
    address = f"[{name}]" if ":" in name else name
    return address if port is None else f"{address}:{port}"


def _unknown(name: str) -> str:
    similar = ["sslmode"] if name == "ssl" else get_close_matches(name, PARAMETERS, 1)
    hint = f" Did you mean {similar[0]}?" if similar else ""
    known = ", ".join(PARAMETERS)
    return f"The database URL has a parameter {name!r}.{hint} The parameters are: {known}."


def _hosts(text: str, query: Mapping[str, str]) -> list[HostAndPort]:
    if text and "host" in query:
        msg = "The database URL names hosts twice, before the database and by ?host=; keep one."
        raise BadDatabaseUrl(msg)
    text = text or query.get("host", "")
    found = [_host(each) for each in text.split(",")] if text else []
    if "port" not in query:
        return found
    ports = [_port(each) for each in query["port"].split(",")]
    if len(ports) == 1:
        ports *= len(found)
    if len(ports) != len(found) or any(port is not None for _, port in found):
        msg = "The database URL has ?port= and not as many hosts without a port; give one port for "
        msg += "all, or each host its own."
        raise BadDatabaseUrl(msg)
    return [(name, port) for (name, _), port in zip(found, ports, strict=True)]


def _host(text: str) -> HostAndPort:
    """Read `name:port`, `[address]:port` or the folder of a Unix socket."""
    match = _HOST.fullmatch(text)
    if match is None:
        msg = "The database URL has a host that cannot be read; write name:port, [::1]:port, or "
        msg += "for a Unix socket ?host=/folder&port=5432."
        raise BadDatabaseUrl(msg)
    address, name, port = match.groups()
    return decoded(address or name), _port(port) if port else None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= _MAX_PORT:
        msg = f"The database URL has a port that is not a number from 1 to {_MAX_PORT}."
        raise BadDatabaseUrl(msg)
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text):
        msg = "The database URL has a connect_timeout that is not a whole number of seconds, 1 or "
        msg += "more."
        raise BadDatabaseUrl(msg)
    return float(text)
