"""TLS to a PostgreSQL server, by the parameters that libpq has for it."""

import ssl
from collections.abc import Mapping
from os import environ
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from modhost.database.errors import BadDatabaseUrl

MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_FILES: Final = ("sslrootcert", "sslcert", "sslkey")
PARAMETERS: Final = ("sslmode", *_FILES)
_SYSTEM: Final = "system"
"""The value of `sslrootcert` for the authorities that the operating system trusts."""


def tls_parameters(query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters about TLS, checked together with the files that they name.

    Raises `BadDatabaseUrl`.
    """
    found = {name: query[name] for name in PARAMETERS if name in query}
    mode, authority = found.get("sslmode", ""), found.get("sslrootcert")
    if mode and mode not in MODES:
        msg = f"The database URL has an unknown sslmode; the modes are: {', '.join(MODES)}."
        raise BadDatabaseUrl(msg)
    if authority == _SYSTEM and found.setdefault("sslmode", "verify-full") != "verify-full":
        msg = "The database URL has sslrootcert=system, which needs sslmode=verify-full."
        raise BadDatabaseUrl(msg)
    if mode.startswith("verify") and authority is None and not _has_default_authority():
        msg = f"The database URL has sslmode={mode} and names no authority to verify by: add "
        msg += "sslrootcert=/path/to/ca.crt, or sslrootcert=system for those that the operating "
        msg += "system trusts."
        raise BadDatabaseUrl(msg)
    _check_files(found)
    return found


def tls_arguments(tls: Mapping[str, str]) -> dict[str, str | ssl.SSLContext]:
    """Return what asyncpg takes for the parameters; it reads the files, as libpq does."""
    if tls.get("sslrootcert") != _SYSTEM:
        return {"dsn": f"postgresql://?{urlencode(tls)}"} if tls else {}
    context = ssl.create_default_context()
    _load_certificate(context, tls)
    context.set_alpn_protocols(["postgresql"])
    return {"ssl": context}


def _has_default_authority() -> bool:
    """Return whether the environment or the home folder has one, as for libpq."""
    if environ.get("PGSSLROOTCERT"):
        return True
    try:
        return (Path.home() / ".postgresql" / "root.crt").exists()
    except RuntimeError:  # nobody's home
        return False


def _check_files(tls: Mapping[str, str]) -> None:
    files = {name: tls[name] for name in _FILES if tls.get(name, _SYSTEM) != _SYSTEM}
    for name, file in files.items():
        if not Path(file).is_absolute():
            raise BadDatabaseUrl(f"The database URL has a relative path as {name}; write it whole.")
        try:
            Path(file).read_bytes()
        except OSError as error:
            msg = f"The database URL names {file!r} as {name}, which cannot be read: "
            msg += f"{error.strerror}."
            raise BadDatabaseUrl(msg) from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "sslrootcert" in files:
            context.load_verify_locations(files["sslrootcert"])
    except ssl.SSLError:
        msg = f"The database URL names {files['sslrootcert']!r} as sslrootcert, which holds no "
        msg += "certificate; let it be a PEM file."
        raise BadDatabaseUrl(msg) from None
    try:
        _load_certificate(context, tls)
    except ssl.SSLError:
        msg = f"The database URL names {files['sslcert']!r} as sslcert, which is not a certificate "
        msg += "with the key of sslkey; let both be PEM files, the key without a password."
        raise BadDatabaseUrl(msg) from None


def _load_certificate(context: ssl.SSLContext, tls: Mapping[str, str]) -> None:
    if "sslcert" in tls:
        context.load_cert_chain(tls["sslcert"], tls.get("sslkey"), password="")
