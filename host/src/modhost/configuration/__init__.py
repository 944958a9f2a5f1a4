"""The configuration: a TOML file, overridden by environment variables."""

from modhost.configuration.configuration import Configuration, load_configuration
from modhost.configuration.host_options import HostOptions, ModulesOptions, is_loopback

__all__ = ["Configuration", "HostOptions", "ModulesOptions", "is_loopback", "load_configuration"]
