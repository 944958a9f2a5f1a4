"""Who can reach the host, and whether that is meant."""

from modhost.checks import rules
from modhost.checks.findings import Finding
from modhost.configuration.host_options import HostOptions
from modhost.loopback import is_loopback


def check_exposure(options: HostOptions) -> list[Finding]:
    """Return what is wrong with a web host that others than this machine can reach."""
    if is_loopback(options.bind_host):
        return []
    if options.environment == "development":
        detail = f"[host] bind is {options.bind} and [host] environment is 'development', "
        detail += "which is for this machine alone."
        remedy = 'Set environment = "production", or bind to 127.0.0.1.'
        return [Finding(rules.EXPOSED_DEVELOPMENT, detail, remedy)]
    if not options.behind_tls:
        detail = f"[host] bind is {options.bind}, where passwords and tokens would be readable on "
        detail += "their way: the host itself speaks plain HTTP."
        remedy = "Let a proxy ahead of it end TLS, and say so by behind_tls = true; or bind to "
        remedy += "127.0.0.1."
        return [Finding(rules.EXPOSED_WITHOUT_TLS, detail, remedy)]
    return []
