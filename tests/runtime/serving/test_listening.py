"""Where a host listens: on which addresses, for how long, and what is reported when it cannot."""

import errno
import os
import re
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from cli.command_line import CommandLine
from modhost.runtime.serving.server import advice_on, open_socket
from processes.host_process import HostProcess

pytestmark = pytest.mark.anyio


@pytest.fixture
def command_line(tmp_path: Path) -> CommandLine:
    return CommandLine.of(tmp_path, f"sqlite:///{tmp_path}/host.db")


@pytest.fixture
async def started(tmp_path: Path) -> AsyncIterator[HostProcess]:
    """A host on all addresses, which closes idle connections after a second."""
    environment = {
        **os.environ,
        "MODHOST__HOST__BIND": "[::]:0",
        "MODHOST__HOST__DATABASE_URL": f"sqlite:///{tmp_path}/modhost.db",
        "MODHOST__HOST__PUBLIC_URL": "https://jobs.example.org/",
        "MODHOST__HOST__TRUSTED_PROXIES": '["127.0.0.0/8"]',
        "MODHOST__HOST__KEEP_ALIVE": "1s",
    }
    config = tmp_path / "host.toml"
    config.touch()
    process = HostProcess(["--config", str(config), "run"], environment, tmp_path / "log")
    try:
        yield await process.ready()
    finally:
        process.kill()


def port_of(process: HostProcess) -> int:
    found = re.search(r"address +http://\[::\]:(\d+)$", process.log, re.MULTILINE)
    assert found, process.log
    return int(found[1])


async def test_all_addresses_of_ipv6_are_those_of_ipv4_too(
    started: HostProcess, tmp_path: Path
) -> None:
    port = port_of(started)
    async with httpx2.AsyncClient() as client:
        for host in ("127.0.0.1", "[::1]"):
            assert (await client.get(f"http://{host}:{port}/health/live")).status_code == 200
        # The proxy is known by its address of IPv4, and believed.
        form = {"name": "nobody", "password": "wrong"}
        forwarded = {"X-Forwarded-For": "198.51.100.7"}
        answer = await client.post(f"http://127.0.0.1:{port}/login", data=form, headers=forwarded)
        assert answer.status_code == 403
    with closing(sqlite3.connect(tmp_path / "modhost.db")) as database:
        assert database.execute("SELECT address FROM modhost_audit").fetchall() == [
            ("198.51.100.7",)
        ]
    assert "public    https://jobs.example.org/" in started.log


async def test_an_idle_connection_is_kept_for_as_long_as_configured(started: HostProcess) -> None:
    # A machine that stutters closes it late at times, never early; by default it would be 5 s.
    assert any(kept_open(port_of(started)) < 4 for _ in range(5))


def kept_open(port: int) -> float:
    """Return how long a connection is there from its only request on."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        began = time.monotonic()
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200")
        rest = connection.recv(10_000)
        while rest:
            rest = connection.recv(10_000)
        seconds = time.monotonic() - began
    assert seconds > 0.5
    return seconds


def test_only_all_addresses_of_ipv6_include_those_of_ipv4() -> None:
    with open_socket("::1", 0) as listener, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.getsockname()[1]), timeout=10)


def test_a_port_in_use_is_reported_with_what_to_do(command_line: CommandLine) -> None:
    with open_socket("127.0.0.1", 0) as listener:
        bind = f"127.0.0.1:{listener.getsockname()[1]}"
        run = _run(command_line, bind)
    reported = f"Error: Cannot listen on {bind}: Address already in use. Stop what listens there, "
    assert run == (1, f"{reported}or set [host] bind to another port.\n")


def test_an_address_of_another_machine_is_reported_with_what_to_do(
    command_line: CommandLine,
) -> None:
    code, reported = _run(command_line, "192.0.2.1:8000")
    assert code == 1
    assert "This machine has no such address" in reported


def test_a_name_that_nobody_knows_is_reported_with_what_to_do(command_line: CommandLine) -> None:
    code, reported = _run(command_line, "nowhere.invalid:8000")
    assert code == 2
    assert "nobody knows that name. Set [host] bind" in reported


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.EACCES, "CAP_NET_BIND_SERVICE"), (errno.EAFNOSUPPORT, "IPv6"), (errno.EINVAL, "bind")],
)
def test_each_refusal_has_its_advice(number: int, word: str) -> None:
    assert word in advice_on(OSError(number, os.strerror(number)))


def _run(command_line: CommandLine, bind: str) -> tuple[int, str]:
    text = command_line.config.read_text()
    production = text.replace("development", "production")
    command_line.config.write_text(
        f'{production}bind = "{bind}"\nallowed_hosts = ["*"]\nbehind_tls = true\n'
    )
    run = command_line.run("run")
    return run.exit_code, run.stderr
