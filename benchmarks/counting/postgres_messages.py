"""The messages that a client of PostgreSQL sends, of which only the statements matter here."""

import struct
from typing import Final

REFUSAL: Final = b"N"
# Asking for TLS, and for encryption by GSSAPI.
ENCRYPTION: Final = (80877103, 80877104)
# A simple query, and the execution of a prepared one.
STATEMENTS: Final = frozenset(b"QE")


def asks_for_encryption(head: bytes) -> bool:
    """Return whether the first bytes of a connection ask for what is refused here."""
    return len(head) == 8 and struct.unpack("!II", head)[1] in ENCRYPTION


class StatementCounter:
    """Counts the statements of all its connections."""

    def __init__(self) -> None:
        self.count = 0

    def connection(self) -> "CountedConnection":
        """Return what is to be fed with all that one client sends."""
        return CountedConnection(self)


class CountedConnection:
    """Follows one connection from message to message."""

    def __init__(self, counter: StatementCounter) -> None:
        self._counter = counter
        self._rest = b""
        self._skip = 0
        self._has_begun = False

    def feed(self, data: bytes) -> None:
        """Take what the client sent next, cut anywhere."""
        skipped = min(self._skip, len(data))
        self._skip -= skipped
        self._rest += data[skipped:]
        # The first message has no type before its length.
        while len(self._rest) >= (head := 5 if self._has_begun else 4):
            (length,) = struct.unpack("!I", self._rest[head - 4 : head])
            self._counter.count += self._has_begun and self._rest[0] in STATEMENTS
            self._has_begun = True
            whole = head - 4 + length
            self._skip = max(0, whole - len(self._rest))
            self._rest = self._rest[whole:]
