"""The hooks that this plugin offers to those of modules."""

from collections.abc import Mapping
from typing import Any

import pytest


@pytest.hookspec
def pytest_modhost_options(request: pytest.FixtureRequest) -> Mapping[str, Mapping[str, Any]]:  # type: ignore[empty-body]
    """Return options for the hosts of tests, by the names of modules.

    Those of modules that a host does not have are ignored; what a test configures goes first.

    Args:
        request: that of the test.

    """
