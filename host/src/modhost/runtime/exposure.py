"""Who can reach the host, and whether that is meant."""

from modhost.checks import Finding, rules
from modhost.configuration import HostOptions, is_loopback


def check_exposure(options: HostOptions) -> list[Finding]:
    """Return what is wrong with a web host that others than this machine can reach.

    They reach it by the address that it is bound to, or through a proxy that is declared.
    """
    is_open = not is_loopback(options.bind_host)
    is_proxied = options.behind_tls or bool(options.trusted_proxies)
    if not is_open and not is_proxied:
        return []
    if options.environment == "development":
        return [_development(options, is_open=is_open)]
    findings = []
    if is_open and not options.behind_tls:
        findings.append(_without_tls(options))
    if not options.allowed_hosts:
        findings.append(_any_host())
    if options.behind_tls and not options.trusted_proxies:
        findings.append(_unnamed_proxy())
    return findings


def _development(options: HostOptions, *, is_open: bool) -> Finding:
    declared = (
        f"bind is {options.bind}" if is_open else "behind_tls or trusted_proxies declare a proxy"
    )
    detail = f"[host] {declared} and [host] environment is 'development', "
    detail += "which is for this machine alone."
    remedy = 'Set environment = "production", or bind to 127.0.0.1 and declare no proxy.'
    return Finding(rules.EXPOSED_DEVELOPMENT, detail, remedy)


def _without_tls(options: HostOptions) -> Finding:
    detail = f"[host] bind is {options.bind}, where passwords and tokens would be readable on "
    detail += "their way: the host itself speaks plain HTTP."
    remedy = "Let a proxy ahead of it end TLS, and say so by behind_tls = true; or bind to "
    remedy += "127.0.0.1."
    return Finding(rules.EXPOSED_WITHOUT_TLS, detail, remedy)


def _any_host() -> Finding:
    detail = "[host] allowed_hosts is empty, so that a request may claim any name for the host."
    remedy = 'Name those that are answered to, e.g. allowed_hosts = ["jobs.example.org"]; or ["*"] '
    remedy += "where the proxy sees to it."
    return Finding(rules.ANY_HOST_NAME, detail, remedy)


def _unnamed_proxy() -> Finding:
    detail = "[host] behind_tls is true and trusted_proxies is empty: all requests seem to come "
    detail += "from the proxy, and one who guesses passwords makes everybody wait."
    remedy = 'Name the proxy, e.g. trusted_proxies = ["127.0.0.1"] for one on this machine.'
    return Finding(rules.UNNAMED_PROXY, detail, remedy)
