"""Report to the service manager that started this process, by the protocol of `sd_notify`."""

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Final

logger = logging.getLogger(__name__)

VARIABLE: Final = "NOTIFY_SOCKET"
"""The variable by which a service manager, such as systemd, names the socket it listens on."""
_SECONDS: Final = 1.0


class ServiceManager:
    """Whoever waits for this process to be ready; nobody unless the environment names a socket.

    Args:
        environ: the environment, from which the name is taken: programs that jobs start must not
            report for this process.

    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._address = environ.pop(VARIABLE, "")

    @property
    def is_there(self) -> bool:
        """Whether somebody listens."""
        return bool(self._address)

    def report_ready(self, status: str) -> None:
        """Report that the start has succeeded, with a line for people."""
        self._report(f"READY=1\nSTATUS={status}")

    def report_stopping(self) -> None:
        """Report that the process has begun to stop."""
        self._report("STOPPING=1")

    def _report(self, message: str) -> None:
        if not self._address:
            return
        # An @ stands for the byte that begins an address in no file system.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(_SECONDS)
                sender.sendto(message.encode(), address)
        except OSError as error:
            logger.warning("NOTIFY_SOCKET=%s cannot be reached (%s).", self._address, error)
