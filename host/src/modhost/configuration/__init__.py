"""The configuration: a TOML file, overridden by environment variables."""

from modhost.configuration.configuration import Configuration
from modhost.configuration.host_options import HostOptions, ModulesOptions
from modhost.configuration.loading import load_configuration

__all__ = ["Configuration", "HostOptions", "ModulesOptions", "load_configuration"]
