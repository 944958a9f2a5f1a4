"""What a service manager hears, at real sockets."""

import logging
import socket
from pathlib import Path

import pytest

from modhost import new_id
from modhost.runtime.serving.service_manager import VARIABLE, ServiceManager


@pytest.mark.parametrize("is_abstract", [False, True])
def test_it_hears_when_the_process_is_ready_and_when_it_stops(
    tmp_path: Path, is_abstract: bool
) -> None:
    name = f"@modhost/{new_id()}" if is_abstract else str(tmp_path / "notify")
    environ = {VARIABLE: name, "HOME": "/"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0"))
        listener.settimeout(10)
        manager = ServiceManager(environ)
        manager.report_ready("web: ready")
        assert listener.recv(100) == b"READY=1\nSTATUS=web: ready"
        manager.report_stopping()
        assert listener.recv(100) == b"STOPPING=1"
    assert environ == {"HOME": "/"}, "programs that jobs start must not report for the host"


def test_without_one_nothing_is_sent() -> None:
    manager = ServiceManager({VARIABLE: ""})
    assert not manager.is_there
    manager.report_ready("web: ready")


def test_one_that_is_gone_is_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        ServiceManager({VARIABLE: str(tmp_path / "gone")}).report_ready("web: ready")
    (line,) = caplog.messages
    assert line.startswith(f"NOTIFY_SOCKET={tmp_path}/gone cannot be reached (")
