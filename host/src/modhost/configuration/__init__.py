"""The configuration: a TOML file, overridden by environment variables."""

from modhost.configuration.configuration import Configuration, load_configuration
from modhost.configuration.host_options import HostOptions, ModulesOptions
from modhost.configuration.public_url import PublicUrl, is_loopback

__all__ = [
    "Configuration",
    "HostOptions",
    "ModulesOptions",
    "PublicUrl",
    "is_loopback",
    "load_configuration",
]
