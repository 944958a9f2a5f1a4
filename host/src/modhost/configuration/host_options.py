"""The options of the host itself: `[host]`."""

import re
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, IPvAnyNetwork, field_validator

from modhost.configuration.colours import DARK, LIGHT, check_accent
from modhost.configuration.public_url import PublicUrl
from modhost.durations import Duration
from modhost.module import ModuleOptions

_HOST_PATTERN: Final = re.compile(r"\*|(\*\.)?[\w-]+(\.[\w-]+)*|\[[0-9A-Fa-f:.]+\]")

_DISTRIBUTION: Final = "distribution:"


class ModulesOptions(ModuleOptions):
    """Which modules are used: `[host.modules]`."""

    on_error: Literal["stop", "skip"] = Field(
        "stop",
        description="What happens when a module cannot be imported: `stop` refuses to start, "
        "`skip` starts without it and says so in the output, in `/health/ready` and in "
        "`modhost doctor`.",
    )
    disabled: list[str] = Field(
        default_factory=list,
        description="Names of installed modules to leave out; none by default.",
    )


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class HostOptions(ModuleOptions):
    """The options that operators can set for the host."""

    bind: str = Field(
        "127.0.0.1:8000",
        description="Address and port to listen on, e.g. `0.0.0.0:8000` or `[::1]:8000`; port 0 "
        "takes any free one. When the port is taken, `modhost worker` takes any free one and "
        "prints it, and `modhost run` refuses to start.",
    )
    database_url: str = Field(
        "sqlite:///var/modhost.db",
        repr=False,
        description="`sqlite:///file` (three slashes for a relative path, four for an absolute "
        "one; no parameters, and no database in memory) or `postgresql://user:password@host/name`, "
        "which needs `modhost[postgres]`.",
    )
    environment: Literal["development", "production"] = Field(
        "production",
        description="`development` migrates the tables at start and, when the host listens on "
        "this machine only, prints a one-time link that logs an administrator in.",
    )
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
    ] = Field("INFO", description="Lowest level of the log lines written to standard error.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="How the log is written: `json`, a line of JSON for each event, for programs, "
        "or `text`, to read. `auto` is `text` in development and `json` in production.",
    )
    trace_url: str = Field(
        "",
        description="Address at which the operator's own tool shows a trace, with `{trace_id}` "
        "where its id goes, e.g. `https://traces.example.org/trace/{trace_id}`: the page of a job "
        "links to it. Empty by default: the page shows the id alone.",
    )
    start_wait: Duration = Field(
        timedelta(0),
        description="How long a start waits for what may pass, such as a database that is down or "
        "locked, before it exits with 1; 0 waits forever. `/health/ready` answers 503 meanwhile.",
    )
    start_timeout: Duration = Field(
        timedelta(minutes=5),
        gt=timedelta(0),
        description="Longest time that the hook `on_start` of a module may take; after ten "
        "seconds the log names the module.",
    )
    shutdown_grace: Duration = Field(
        timedelta(seconds=45),
        description="Time that all hosted services together have to stop; longer than the "
        "`shutdown_grace` of background jobs.",
    )
    allowed_hosts: list[str] = Field(
        default_factory=list,
        description="Names in the `Host` header that the host answers to, e.g. "
        "`jobs.example.org` or `*.example.org`; empty or `*` for any. In production a host that "
        "others can reach must name them (MH207).",
    )
    trusted_proxies: list[IPvAnyNetwork] = Field(
        default_factory=list,
        description="Addresses and networks of proxies whose `X-Forwarded-For` and "
        '`X-Forwarded-Proto` are believed, e.g. `["10.0.0.0/8"]`; the headers of anyone else are '
        "ignored.",
    )
    behind_tls: bool = Field(
        default=False,
        description="Whether a proxy in front of the host terminates TLS, so that every request "
        "counts as one over TLS. In production a web host that listens beyond this machine does "
        "not start without it (MH205).",
    )
    public_url: str = Field(
        "",
        description="Address by which browsers reach the host through a proxy, e.g. "
        "`https://jobs.example.org/` or `https://example.org:8443/tools/modhost/`. Links, "
        "redirects, cookies and the check for requests of other sites follow from it, whatever "
        "`Host` the proxy sends; https counts as `behind_tls`. Empty by default: each request "
        "decides, by its `Host` and its scheme.",
    )
    keep_alive: Duration = Field(
        timedelta(seconds=5),
        description="Time that an idle connection is kept open for the next request; longer than "
        "the proxy keeps it, or the proxy may use one that has just been closed (nginx: 60s); in "
        "whole seconds.",
    )
    name: str = Field(
        "modhost",
        min_length=1,
        max_length=60,
        description="What the pages call the host, in their header and in the titles of windows.",
    )
    environment_name: str = Field(
        "",
        max_length=30,
        description="What the pages call the environment, beside the name, e.g. `staging`; empty "
        "for that of `environment`.",
    )
    logo: str = Field(
        "",
        description="File of the logo that stands beside the name and is the icon of windows: "
        "SVG, PNG, WebP or JPEG, at most 256 KiB, best as a square; empty for that of modhost.",
    )
    accent: str = Field(
        "",
        description="Colour of links, buttons and what is selected, as `#rrggbb`; empty for that "
        "of modhost. Texts in it must be readable: a colour without enough contrast stops the "
        "start, with the nearest one that has it.",
    )
    accent_dark: str = Field(
        "",
        description="The same where the browser prefers dark pages; empty for a lighter shade of "
        "`accent`.",
    )
    app_version: str = Field(
        "",
        max_length=100,
        description="Version of the application that runs in the host, e.g. `2026.11.3` or a "
        "commit; `distribution:NAME` for that of an installed distribution. What jobs did is "
        "counted by it, and charts mark when a new one first ran jobs. Empty by default: none.",
    )
    silence: list[str] = Field(
        default_factory=list,
        description="Codes of rules, e.g. `MH508`, that neither stop a start nor are reported by "
        "`modhost doctor`; none by default.",
    )
    modules: ModulesOptions = Field(
        ModulesOptions(), description="Which modules are used: `[host.modules]`."
    )

    @field_validator("bind")
    @classmethod
    def _bind_is_an_address(cls, value: str) -> str:
        address, _, port = value.rpartition(":")
        if not address or not port.isdecimal() or int(port) > 65535:
            msg = f"{value!r} is not an address; write one like '127.0.0.1:8000' or '[::1]:8000'."
            raise ValueError(msg)
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _allowed_hosts_are_names(cls, value: list[str]) -> list[str]:
        for each in value:
            if not _HOST_PATTERN.fullmatch(each):
                msg = f"{each!r} is not a host name; write one like 'jobs.example.org' or "
                msg += "'*.example.org', without scheme and port, or '*' for any."
                raise ValueError(msg)
        return value

    @field_validator("accent")
    @classmethod
    def _accent_is_readable(cls, value: str) -> str:
        return check_accent(value, LIGHT) if value else value

    @field_validator("accent_dark")
    @classmethod
    def _accent_is_readable_in_the_dark(cls, value: str) -> str:
        return check_accent(value, DARK) if value else value

    @field_validator("public_url")
    @classmethod
    def _public_url_is_an_address(cls, value: str) -> str:
        return str(PublicUrl.parse(value)) if value else ""

    @field_validator("app_version")
    @classmethod
    def _app_version_is_known(cls, value: str) -> str:
        name = value.removeprefix(_DISTRIBUTION)
        if name == value:
            return value.strip()
        try:
            return version(name.strip())
        except (PackageNotFoundError, ValueError) as error:
            msg = f"{value!r} names no distribution that is installed here; `pip list` shows "
            msg += "those that are. Or write the version itself, like '2026.11.3'."
            raise ValueError(msg) from error

    @field_validator("trace_url")
    @classmethod
    def _trace_url_is_a_template(cls, value: str) -> str:
        is_address = value.startswith(("https://", "http://")) and "{trace_id}" in value
        if value and (not is_address or {"{", "}"} & set(value.replace("{trace_id}", ""))):
            msg = f"{value!r} is not an address with {{trace_id}}; write one like "
            msg += "'https://traces.example.org/trace/{trace_id}'."
            raise ValueError(msg)
        return value

    @property
    def public(self) -> PublicUrl | None:
        """The public address; None where each request decides."""
        return PublicUrl.parse(self.public_url) if self.public_url else None

    @property
    def has_tls(self) -> bool:
        """Whether every request counts as one over TLS."""
        return self.behind_tls or self.public_url.startswith("https:")

    @property
    def logs_json(self) -> bool:
        """Whether the log is for programs."""
        return self.log_format == "json" or (
            self.log_format == "auto" and self.environment == "production"
        )

    @property
    def bind_host(self) -> str:
        """The address to listen on."""
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def bind_port(self) -> int:
        """The port to listen on; 0 for any free one."""
        return int(self.bind.rpartition(":")[2])
