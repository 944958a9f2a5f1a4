"""The address by which browsers reach the host, as operators write it."""

import pytest

from modhost.checks import StartupError
from modhost.configuration import Configuration, PublicUrl
from modhost.runtime.assembly import build_host


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://jobs.example.org", "https://jobs.example.org/"),
        ("https://Jobs.Example.org:443/", "https://jobs.example.org/"),
        ("https://example.org:8443/tools/modhost", "https://example.org:8443/tools/modhost/"),
        ("https://10.0.0.5:8443/tools/modhost/", "https://10.0.0.5:8443/tools/modhost/"),
        ("https://[2001:DB8::1]/x", "https://[2001:db8::1]/x/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://localhost:8080/tools/", "http://localhost:8080/tools/"),
        ("http://127.0.0.1/", "http://127.0.0.1/"),
    ],
)
def test_it_is_read_as_browsers_write_it(written: str, read: str) -> None:
    configuration = Configuration({"host": {"public_url": written}})
    assert configuration.findings == []
    assert configuration.host.public_url == read


@pytest.mark.parametrize(
    "written",
    [
        "jobs.example.org",
        "//jobs.example.org/",
        "ftp://jobs.example.org/",
        "https:///tools/",
        "https://jobs example.org/",
        "https://*.example.org/",
        "https://jobs,example.org/",
        "https://jobs%20.example.org/",
        "https://../",
        "https://jobs.example.org:port/",
        "https://jobs.example.org/?next=/",
        "https://jobs.example.org/#x",
        "https://ada@jobs.example.org/",
        "https://jobs.example.org/a b/",
        "https://jobs.example.org/a//b/",
        "https://jobs.example.org/../b/",
        "https://jobs.example.org/./b/",
        "https://jobs.example.org/%2e%2e/",
        "http://jobs.example.org/",
        "http://10.0.0.5/",
    ],
)
def test_what_is_none_is_refused_with_the_key(written: str) -> None:
    configuration = Configuration({"host": {"public_url": written}})
    (finding,) = configuration.findings
    assert "[host] public_url" in finding.detail
    assert finding.remedy


@pytest.mark.parametrize(
    ("location", "outside"),
    [
        ("/shop?a=/b", "/tools/modhost/shop?a=/b"),
        # A module that has the path of the address is one below it.
        ("/tools/modhost/x", "/tools/modhost/tools/modhost/x"),
        ("//elsewhere/x", "//elsewhere/x"),
        ("https://elsewhere/x", "https://elsewhere/x"),
        ("https://example.org:8443/shop", "https://example.org:8443/tools/modhost/shop"),
        ("https://example.org:8443/tools/modhost/a", "https://example.org:8443/tools/modhost/a"),
        ("https://example.org:84433/shop", "https://example.org:84433/shop"),
        ("shop", "shop"),
        ("?page=2", "?page=2"),
    ],
)
def test_a_redirect_stays_below_it(location: str, outside: str) -> None:
    assert PublicUrl.parse("https://example.org:8443/tools/modhost/").below_base(location) == (
        outside
    )


def exposed(**host: object) -> list[str]:
    """Return the codes of the rules that such a host breaks."""
    try:
        build_host(Configuration({"host": {"environment": "production", **host}}), "web")
    except StartupError as error:
        return sorted(finding.rule.code for finding in error.findings)
    return []


def test_it_is_all_that_an_open_host_needs() -> None:
    assert exposed(bind="0.0.0.0:8000") == ["MH205", "MH207"]
    assert exposed(bind="0.0.0.0:8000", public_url="https://jobs.example.org/") == []


def test_a_public_address_is_not_for_development() -> None:
    public = {"public_url": "https://jobs.example.org/"}
    assert exposed(environment="development", **public) == ["MH206"]
    assert exposed(environment="development", public_url="http://localhost:8080/x/") == []
