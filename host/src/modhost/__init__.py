"""modhost: a plugin-based modular host for Python. This is the API that modules write against."""

from modhost.clock import Clock
from modhost.hooks import hookimpl
from modhost.ids import new_id
from modhost.module import (
    HealthReport,
    HostedService,
    HostInfo,
    Module,
    ModuleOptions,
    ProcessReport,
)
from modhost.permissions import ANYONE, Permission, Principal
from modhost.services import Scope, ServiceCollection
from modhost.settings import ModuleSettings, Settings
from modhost.telemetry import ErrorOrigin

__all__ = [
    "ANYONE",
    "Clock",
    "ErrorOrigin",
    "HealthReport",
    "HostInfo",
    "HostedService",
    "Module",
    "ModuleOptions",
    "ModuleSettings",
    "Permission",
    "Principal",
    "ProcessReport",
    "Scope",
    "ServiceCollection",
    "Settings",
    "hookimpl",
    "new_id",
]
