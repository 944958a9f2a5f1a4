"""Settings of the process that all modules share: an import must not change them for the others."""

import asyncio
import locale
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping


def process_state() -> Mapping[str, object]:
    """Return the settings, each under the words that messages use."""
    root = logging.getLogger()
    policy = type(getattr(asyncio.events, "_event_loop_policy", None))
    is_usual = policy.__module__.startswith(("builtins", "asyncio"))
    return {
        "the event loop policy": None if is_usual else policy,
        "how asyncio runs (as nest_asyncio does)": asyncio.run,
        "the handlers of the root logger": tuple(root.handlers),
        "the level of the root logger": root.level,
        "which messages of all loggers are disabled": root.manager.disable,
        "loggers of the host, which are disabled (disable_existing_loggers)": {
            name
            for name, each in root.manager.loggerDict.items()
            if name.startswith("modhost") and getattr(each, "disabled", False)
        },
        "threads and sockets (as gevent does)": (threading.Thread, socket.socket, time.sleep),
        "the default timeout of sockets": socket.getdefaulttimeout(),
        "the locale": locale.setlocale(locale.LC_ALL),
        "the handlers of signals": tuple(
            signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)
        ),
        "sys.excepthook": sys.excepthook,
    }


def changed_since(before: Mapping[str, object]) -> tuple[str, ...]:
    """Return which settings are not as they were."""
    now = process_state()
    return tuple(name for name, value in before.items() if value != now[name])
