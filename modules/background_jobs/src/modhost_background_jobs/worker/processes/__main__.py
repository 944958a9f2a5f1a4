"""The process that runs attempts; a worker starts it, and talks to it over an inherited socket."""

import faulthandler
import gc
import json
import os
import socket
import struct
import sys

from modhost_background_jobs.worker.processes.leader import lead


def main() -> None:
    """Learn what to run, and run it."""
    number = int(sys.argv[1])
    lead(number)
    connection = socket.socket(fileno=number)
    connection.set_inheritable(False)
    # A process that a job forks must neither speak for it nor keep the connection open.
    os.register_at_fork(after_in_child=connection.close)
    # A crash in native code tells where it was, in the worker's log.
    faulthandler.enable()
    (length,) = struct.unpack(">I", connection.recv(4, socket.MSG_WAITALL))
    introduction = json.loads(connection.recv(length, socket.MSG_WAITALL))
    sys.path[:] = introduction["path"]
    # Until the host is there: what is imported stays, and to look for garbage among it takes long.
    gc.disable()

    from modhost_background_jobs.worker.processes.program import run_program

    run_program(connection, introduction["host"])


if __name__ == "__main__":
    main()
