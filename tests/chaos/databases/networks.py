"""A network of its own for a host, which can be cut off without a word."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE, THERE = "10.213.77.1", "10.213.77.2"
NOBODY = "02:00:00:00:00:99"


class Network:
    """A network namespace with one link to this machine, at the address `HERE`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._here, self._there = f"{name}h", f"{name}t"

    @property
    def path(self) -> Path:
        """What a process enters it by."""
        return Path("/run/netns", self.name)

    def build(self) -> None:
        """Make it."""
        _ip(f"netns add {self.name}")
        _ip(f"link add {self._here} type veth peer name {self._there} netns {self.name}")
        _ip(f"addr add {HERE}/30 dev {self._here}")
        _ip(f"link set {self._here} up")
        for command in (
            f"addr add {THERE}/30 dev {self._there}",
            f"link set {self._there} up",
            "link set lo up",
        ):
            _ip(f"-n {self.name} {command}")

    def remove(self) -> None:
        """Remove it with its link."""
        _ip(f"netns del {self.name}")

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Send all packets to nobody, in both directions: neither side gets an error."""
        ends = (
            f"neigh %s {THERE} dev {self._here}",
            f"-n {self.name} neigh %s {HERE} dev {self._there}",
        )
        for end in ends:
            _ip(f"{end % 'replace'} lladdr {NOBODY} nud permanent")
        try:
            yield
        finally:
            for end in ends:
                _ip(end % "del")


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True)


@contextmanager
def network() -> Iterator[Network | None]:
    """Make a network for the block; None where this machine does not let us."""
    made = Network(f"ch{secrets.token_hex(3)}")
    if os.geteuid() != 0:
        yield None
        return
    try:
        made.build()
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield made
    finally:
        made.remove()
