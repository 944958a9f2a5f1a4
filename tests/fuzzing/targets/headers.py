"""What stands on the wire: request lines, headers and bodies, on a real connection."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from fuzzing.attacked import AttackedHost
from fuzzing.exchange import ANSWER_SECONDS, Fault
from fuzzing.inputs.texts import texts, varied

REQUESTS: Final = (
    "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "GET /admin/jobs?state=Failed HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n",
    "GET /api/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n",
    (
        "POST /api/reports HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        'Content-Type: application/json\r\nContent-Length: 18\r\n\r\n{"type":"monthly"}'
    ),
    (
        "POST /api/reports?type=monthly HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer {token}\r\nContent-Type: text/csv\r\n"
        "Transfer-Encoding: chunked\r\n\r\na\r\ndate,a\n201\r\n9\r\n2-01-01,1\r\n0\r\n\r\n"
    ),
    (
        "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 61\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\r\n--x--\r\n'
    ),
    (
        "GET /admin/jobs/events?watch=dashboard HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer {token}\r\nLast-Event-ID: 1\r\nConnection: close\r\n\r\n"
    ),
    (
        "GET /admin/jobs/events?watch=dashboard HTTP/1.1\r\nHost: localhost\r\n"
        "Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n!\r\n"
    ),
    "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3 + "\0\r\n\r\n",
)
NAMES: Final = (
    *("Host", "Content-Length", "Transfer-Encoding", "Content-Type", "Authorization", "Cookie"),
    *("Origin", "Sec-Fetch-Site", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"),
    *("Forwarded", "X-Request-ID", "traceparent", "tracestate", "Accept", "Accept-Language"),
    *("If-None-Match", "If-Modified-Since", "Range", "Last-Event-ID", "User-Agent", "Expect"),
    *("Upgrade", "Connection", "Accept-Encoding", "X-HTTP-Method-Override", "Referer"),
)
VALUES: Final = (
    *("localhost", "localhost:99999", "[::1", "[::1]:80", "evil.example", "a b", "localhost:x"),
    *("chunked", "gzip, chunked", "identity", "0", "-1", "+5", "5, 5", "99999999999999999999"),
    *("application/json", "application/json; charset=utf-7", "multipart/form-data", "text/csv;"),
    *("multipart/form-data; boundary=", "application/x-www-form-urlencoded; charset=\xff"),
    *("Bearer", "Bearer ", "Basic eA==", "Basic \xff", "bearer mh_x", "Digest a=b", "null"),
    *("cross-site", "same-origin", "http://[::1", "http://localhost", "bytes=0-", "bytes=5-1"),
    *("00-" + "0" * 32 + "-" + "0" * 16 + "-00", "00-ff-1", "100-continue", "h2c", "websocket"),
    *("127.0.0.1", "unknown", "for=_x;proto=https", "::ffff:1.2.3.4", "1.2.3.4, , 5", '"'),
    *('W/"x"', "*", "Sun, 31 Feb 2026 00:00:00 GMT", "text/html;q=9", "*/*;q=x", "en;q=" * 9),
)
PATHS: Final = (
    *("/", "/api/jobs", "/admin/jobs", "//", "/.", "/..%2f", "/%", "/%00", "/%ff", "*", "x"),
    *("/static/modhost/../../pyproject.toml", "/static/modhost/%2e%2e/x", "http://a/api/jobs"),
    *("/login?next=//evil.example", "/static/modhost/shell.css", "/api/jobs/" + "9" * 9000),
    *("/admin/jobs/events?watch=list", "/api/jobs?state=%ff", "/metrics", "/admin#x", "/\xff"),
)
METHODS: Final = (
    *("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW", ""),
)
SILENCE_SECONDS: Final = 0.3
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3}) ")


def _written(
    line: tuple[str, str, str], headers: list[tuple[str, str]], body: str, end: str
) -> str:
    lines = [" ".join(line), *(f"{name}: {value}" for name, value in headers)]
    return end.join(lines) + end + end + body


@dataclass
class Headers:
    """Each input is what a client sends, of which each character is a byte."""

    host: AttackedHost
    name: str = "headers"

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        line = st.tuples(
            st.sampled_from(METHODS),
            st.one_of(st.sampled_from(PATHS), texts(*PATHS)),
            st.sampled_from(("HTTP/1.1", "HTTP/1.0", "HTTP/9.9", "", "http/1.1")),
        )
        header = st.tuples(
            st.one_of(st.sampled_from(NAMES), texts(*NAMES)),
            st.one_of(st.sampled_from(VALUES), texts(*VALUES)),
        )
        host = st.just(("Host", "localhost"))
        bearer = st.just(("Authorization", "Bearer {token}"))
        headers = st.lists(st.one_of(header, header, host, bearer), max_size=6)
        usual = st.builds(lambda more: [("Host", "localhost"), *more], headers)
        body = st.one_of(st.just(""), texts("5\r\nabcde\r\n0\r\n\r\n", "{}", "a=b&a=c&%zz=%"))
        built = st.builds(
            _written, line, st.one_of(usual, headers), body, st.sampled_from(("\r\n", "\r\n", "\n"))
        )
        raw = st.one_of(built, varied(REQUESTS))
        # The rest of a text beyond a byte is its UTF-8.
        return raw.map(lambda text: text.encode("utf-8", "surrogatepass").decode("latin-1"))

    def attack(self, given: Any) -> str:
        token, cookie = self.host.token("viewer"), "modhost_session=a"
        sent = given.replace("{token}", token).replace("{cookie}", cookie).encode("latin-1")
        with self.host.logged.refused():
            received = _sent_raw(self.host.address, sent, SILENCE_SECONDS)
        statuses = [int(found) for found in _STATUS.findall(received)]
        if wrong := [status for status in statuses if status >= 500]:
            raise Fault(f"it is answered with {wrong}: {received[:300]!r}")
        if b"Traceback" in received or b"site-packages" in received:
            raise Fault(f"a traceback is shown: {received!r}")
        return str(statuses[0]) if statuses else "closed"


def _sent_raw(address: tuple[str, int], sent: bytes, silence: float) -> bytes:
    """Send bytes on a connection of their own; return all that comes back until it is closed.

    Our side is closed when there has been silence for a while. Raises `Fault` unless the host's
    is closed then.
    """
    received = b""
    with socket.create_connection(address, timeout=5) as connection:
        with suppress(ConnectionError, BrokenPipeError):
            connection.sendall(sent)
            connection.settimeout(silence)
            with suppress(TimeoutError):
                while part := connection.recv(65536):
                    received += part
                return received
            connection.settimeout(ANSWER_SECONDS)
            # It is not connected any more where the host has reset it meanwhile.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            try:
                while part := connection.recv(65536):
                    received += part
            except TimeoutError as error:
                raise Fault(f"the connection is open {ANSWER_SECONDS} s after its end") from error
    return received
