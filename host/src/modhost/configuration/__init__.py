"""The configuration: a TOML file, overridden by environment variables."""

from modhost.configuration.configuration import Configuration, load_configuration
from modhost.configuration.host_options import HostOptions, ModulesOptions
from modhost.configuration.paths import DEFAULT_FILE
from modhost.configuration.public_url import PublicUrl, is_loopback

__all__ = [
    "DEFAULT_FILE",
    "Configuration",
    "HostOptions",
    "ModulesOptions",
    "PublicUrl",
    "is_loopback",
    "load_configuration",
]
