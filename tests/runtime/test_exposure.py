"""A host that others than this machine can reach."""

import pytest

from modhost.checks import StartupError
from modhost.configuration import Configuration, HostOptions
from modhost.runtime.assembly import build_host
from modhost.runtime.startup_checks import check_exposure


def codes(host: dict[str, object], role: str = "web") -> list[str]:
    """Return the codes of what stops the start."""
    try:
        build_host(Configuration({"host": host}), role, modules=[])  # type: ignore[arg-type]
    except StartupError as error:
        return [finding.rule.code for finding in error.findings]
    return []


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ({"bind": "0.0.0.0:8000", "allowed_hosts": ["a.org"]}, ["MH205"]),
        ({"bind": "[::]:8000"}, ["MH205", "MH207"]),
        ({"bind": "192.0.2.1:8000"}, ["MH205", "MH207"]),
        ({"bind": "0.0.0.0:8000", "behind_tls": True}, ["MH207"]),
        ({"bind": "0.0.0.0:8000", "behind_tls": True, "allowed_hosts": ["a.org"]}, []),
        ({"bind": "0.0.0.0:8000", "behind_tls": True, "allowed_hosts": ["*"]}, []),
        ({"bind": "0.0.0.0:8000", "silence": ["MH205", "MH207"]}, []),
        ({"bind": "127.0.0.1:8000", "behind_tls": True}, ["MH207"]),
        ({"bind": "127.0.0.1:8000", "behind_tls": True, "environment": "development"}, ["MH206"]),
        ({"trusted_proxies": ["127.0.0.1"], "environment": "development"}, ["MH206"]),
        ({"bind": "0.0.0.0:8000", "environment": "development"}, ["MH206"]),
        ({"bind": "0.0.0.0:8000", "environment": "development", "behind_tls": True}, ["MH206"]),
        ({"bind": "127.0.0.1:8000"}, []),
        ({"bind": "[::1]:8000", "environment": "development"}, []),
    ],
)
def test_a_web_host_is_open_to_the_network_only_when_that_is_meant(
    host: dict[str, object], expected: list[str]
) -> None:
    assert codes(host) == expected


def test_a_proxy_that_is_declared_and_not_named_is_a_warning() -> None:
    declared = HostOptions(behind_tls=True, allowed_hosts=["a.org"])
    assert [each.rule.code for each in check_exposure(declared)] == ["MH208"]
    named = HostOptions.model_validate({**dict(declared), "trusted_proxies": ["127.0.0.1"]})
    assert check_exposure(named) == []


def test_a_worker_serves_nothing_that_needs_protection() -> None:
    assert codes({"bind": "0.0.0.0:8000"}, "worker") == []


@pytest.mark.parametrize("pattern", ["jobs.*", "https://a.org", "a.org:443", "*a.org", "a b", ""])
def test_a_host_name_that_can_match_nothing_is_reported(pattern: str) -> None:
    assert codes({"allowed_hosts": [pattern]}) == ["MH203"]


def test_host_names_wildcards_and_addresses_may_be_allowed() -> None:
    assert codes({"allowed_hosts": ["*", "*.a.org", "jobs-1.a.org", "10.0.0.1", "[::1]"]}) == []


def test_a_proxy_that_cannot_be_an_address_is_reported() -> None:
    assert codes({"trusted_proxies": ["my-proxy"]}) == ["MH203"]
