"""The options of a provider, and those that stop the start."""

from pathlib import Path
from typing import Any

import pytest

from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.identity.external.oidc.options import OidcOptions
from modhost.runtime.assembly import build_host

GOOD = {"issuer": "https://id.example", "client_id": "modhost", "client_secret": "very secret"}


def configured(**options: Any) -> Configuration:
    return Configuration({"modules": {"oidc": {**GOOD, **options}}})


def test_without_its_section_there_is_not_a_such_module() -> None:
    host = build_host(Configuration({}), "web", modules=[])
    assert "oidc" not in [found.module.name for found in host.modules]
    with_it = build_host(configured(), "web", modules=[])
    assert "oidc" in [found.module.name for found in with_it.modules]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("issuer", "http://id.example"),
        ("issuer", "id.example"),
        ("issuer", "https://modhost:very secret@id.example"),
        ("issuer", "https://modhost:very%20secret/very secret@id.example"),
        ("audience", "modhost"),
        ("algorithms", ["none"]),
        ("algorithms", ["HS256"]),
        ("algorithms", []),
        ("client_id", ""),
        ("leeway", "-1s"),
        ("nonsense", 1),
    ],
)
def test_what_is_not_safe_stops_the_start(option: str, value: object) -> None:
    with pytest.raises(StartupError) as refused:
        build_host(configured(**{option: value}), "web", modules=[])
    reported = "\n".join(str(finding) for finding in refused.value.findings)
    assert f"[modules.oidc] {option}" in reported or option in reported
    assert "very secret" not in reported


def test_the_secret_of_the_client_may_be_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("very secret\n")
    options = {"issuer": "https://id.example", "client_id": "modhost"}
    options["client_secret_file"] = str(tmp_path / "secret")
    bound = Configuration({"modules": {"oidc": options}}).bind("oidc", OidcOptions)
    assert bound is not None
    assert bound.client_secret.get_secret_value() == "very secret"


def test_the_configuration_is_shown_without_the_secret() -> None:
    configuration = configured(issuer="http://127.0.0.1:8080")
    shown = {each.key: each.value for each in configuration.in_effect({"oidc": OidcOptions})}
    assert shown["[modules.oidc] client_secret"] == "***"
    assert shown["[modules.oidc] issuer"] == "http://127.0.0.1:8080"
