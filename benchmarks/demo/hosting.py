"""The hosts of the shop: one with pages, and worker processes beside it."""

from collections.abc import Mapping
from typing import Any, Final

from benchmarks.demo.module import ShopModule
from benchmarks.demo.shop import VERSIONS
from modhost import Module
from modhost_background_jobs.module import BackgroundJobsModule

STILL: Final = {"stall_timeout": "9m"}
"""Nobody beats for the workers of a shop that stands still, which are alive all the same."""


def shop_modules(*, is_busy: bool = False) -> list[Module]:
    """Return the modules of the shop's hosts."""
    return [BackgroundJobsModule(), ShopModule(is_busy=is_busy)]


def configured(
    url: str, mode: str = "Producer", options: Mapping[str, Any] | None = None, **host: Any
) -> dict[str, Any]:
    """Return the configuration of a host of the shop."""
    return {
        "host": {
            "environment": "development",
            "database_url": url,
            "bind": "127.0.0.1:0",
            "name": "Harbour Shop",
            "environment_name": "demo",
            "accent": "#0f5e8c",
            "app_version": VERSIONS[-1],
            "log_level": "WARNING",
            **host,
        },
        "modules": {"background_jobs": {"worker_mode": mode, **(options or {})}},
    }
