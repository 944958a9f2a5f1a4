"""The options of the host itself: `[host]`."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, field_validator

from modhost.durations import Duration
from modhost.module import ModuleOptions

_HOST_PATTERN: Final = re.compile(r"\*|(\*\.)?[\w-]+(\.[\w-]+)*|\[[0-9A-Fa-f:.]+\]")


class ModulesOptions(ModuleOptions):
    """Which modules are used: `[host.modules]`."""

    on_error: Literal["stop", "skip"] = "stop"
    disabled: list[str] = Field(default_factory=list)


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class HostOptions(ModuleOptions):
    """What operators may set of the host."""

    bind: str = "127.0.0.1:8000"
    database_url: str = Field(default="sqlite:///var/modhost.db", repr=False)
    environment: Literal["development", "production"] = "production"
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
    ] = "INFO"
    shutdown_grace: Duration = timedelta(seconds=45)
    allowed_hosts: list[str] = Field(default_factory=list)
    trusted_proxies: list[IPvAnyNetwork] = Field(default_factory=list)
    behind_tls: bool = False
    silence: list[str] = Field(default_factory=list)
    modules: ModulesOptions = ModulesOptions()

    @field_validator("bind")
    @classmethod
    def _bind_is_an_address(cls, value: str) -> str:
        address, _, port = value.rpartition(":")
        if not address or not port.isdecimal() or int(port) > 65535:
            msg = f"{value!r} is no address; write one like '127.0.0.1:8000' or '[::1]:8000'."
            raise ValueError(msg)
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _allowed_hosts_are_names(cls, value: list[str]) -> list[str]:
        for each in value:
            if not _HOST_PATTERN.fullmatch(each):
                msg = f"{each!r} is no name of a host; write one like 'jobs.example.org' or "
                msg += "'*.example.org', without scheme and port, or '*' for any."
                raise ValueError(msg)
        return value

    @property
    def bind_host(self) -> str:
        """The address to listen on."""
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def bind_port(self) -> int:
        """The port to listen on; 0 for any that is free."""
        return int(self.bind.rpartition(":")[2])
