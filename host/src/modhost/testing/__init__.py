"""The test kit: hosts of some modules with clients that need no network, and a clock to move.

The fixtures of the pytest plugin, `host`, `client` and `clock`, are made of these parts.
"""

from modhost.testing.blocking import BlockingHost, blocking_host
from modhost.testing.clock import MovableClock
from modhost.testing.models import configure_models
from modhost.testing.running import RunningHost, running_host

__all__ = [
    "BlockingHost",
    "MovableClock",
    "RunningHost",
    "blocking_host",
    "configure_models",
    "running_host",
]
