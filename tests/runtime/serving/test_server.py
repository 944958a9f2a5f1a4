"""The socket that a host listens on."""

import socket

import pytest

from modhost.runtime.serving.server import open_socket


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_what_is_accepted_sends_its_answers_without_delay(address: str) -> None:
    """By default the body of an answer waits for the acknowledgement of its head: 40 ms."""
    with (
        open_socket(address, 0) as listener,
        socket.create_connection(listener.getsockname()[:2], timeout=10),
    ):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
