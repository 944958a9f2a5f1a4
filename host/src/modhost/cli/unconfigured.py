"""A host that nobody has configured: for one person, on this machine alone."""

from typing import Any, Final

from modhost.configuration import Configuration
from modhost.plugins import find_modules

HOST: Final = {
    "bind": "127.0.0.1:8000",
    "database_url": "sqlite:///var/modhost.db",
    "environment": "development",
}
# Whoever sets one of these has a deployment in mind, of which a file may be missing.
_DEPLOYMENT: Final = (
    *("ENVIRONMENT", "DATABASE_URL", "DATABASE_URL_FILE", "PUBLIC_URL", "BEHIND_TLS"),
    *("TRUSTED_PROXIES", "ALLOWED_HOSTS"),
)


def is_unconfigured(configuration: Configuration) -> bool:
    """Return whether neither a file nor a variable says what kind of host this is."""
    given = {name.upper() for name in configuration.environ}
    deployment = {f"MODHOST__HOST__{name}" for name in _DEPLOYMENT}
    return configuration.source is None and not given & deployment


def unconfigured() -> dict[str, Any]:
    """Return the tables of a host for one person on this machine, with the modules installed."""
    modules = {
        found.module.name: dict(found.module.unconfigured)
        for found in find_modules().modules
        if found.module.unconfigured
    }
    return {"host": dict(HOST), "modules": modules}
