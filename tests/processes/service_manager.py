"""A service manager's socket, and what processes report at it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from processes.host_process import until


class Reports:
    """The messages that have arrived."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.messages: list[str] = []

    async def arrives(self, message: str) -> None:
        """Wait until a message has arrived."""
        await until(lambda: message in self._received(), f"{message!r} in {self.messages}")

    def _received(self) -> list[str]:
        try:
            while True:
                self.messages.append(self._listener.recv(1000).decode())
        except BlockingIOError:
            return self.messages


@contextmanager
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Reports]:
    """Listen for processes that are started from now on."""
    with (
        TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        listener.bind(str(Path(folder, "notify")))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"{folder}/notify")
        yield Reports(listener)
