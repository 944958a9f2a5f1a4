"""An entry point has the name of its module, by which it is left out before it is imported."""

import sys
from pathlib import Path

import pytest

from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host

SOURCE = """
from modhost import Module

class Orders(Module):
    name = "orders"
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a module whose entry point has another name."""
    name = "acme_misnamed"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    info = tmp_path / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-misnamed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[modhost.modules]\nacme-orders = {name}:Orders\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, name, raising=False)
    return name


def start(*disabled: str) -> None:
    build_host(Configuration({"host": {"modules": {"disabled": list(disabled)}}}), "web")


@pytest.mark.parametrize("disabled", [(), ("orders",)])
def test_an_entry_point_with_another_name_is_found(package: str, disabled: tuple[str, ...]) -> None:
    with pytest.raises(StartupError) as refused:
        start(*disabled)
    (finding,) = refused.value.findings
    assert (finding.rule.code, finding.module) == ("MH121", "orders")
    assert "'acme-orders'" in finding.detail
    assert (
        finding.remedy == "Name the entry point 'orders', in the pyproject.toml of acme-misnamed."
    )
    assert package in sys.modules


def test_a_module_that_is_disabled_by_its_entry_point_is_not_imported(package: str) -> None:
    start("acme-orders")
    assert package not in sys.modules
