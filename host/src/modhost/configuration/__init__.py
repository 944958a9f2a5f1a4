"""The configuration: a TOML file, overridden by environment variables."""

from modhost.configuration.configuration import Configuration, load_configuration
from modhost.configuration.host_options import HostOptions, ModulesOptions
from modhost.configuration.paths import DEFAULT_FILE
from modhost.configuration.public_url import PublicUrl, is_loopback
from modhost.configuration.redaction import is_secret_name

__all__ = [
    "DEFAULT_FILE",
    "Configuration",
    "HostOptions",
    "ModulesOptions",
    "PublicUrl",
    "is_loopback",
    "is_secret_name",
    "load_configuration",
]
