"""The program `modhost`. It is not in the package, whose import takes a while, to catch Ctrl-C."""

import gc
import signal


def main() -> None:
    """Import the command line and run it; Ctrl-C ends either without a traceback."""
    is_default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if is_default:
        # An exception would show where in the imports it came, or get lost there.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Imported code stays: to collect garbage among it takes a fifth of the start.
    gc.disable()
    from modhost.cli import main as run

    gc.freeze()
    gc.enable()
    if is_default:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        run()
    finally:
        if is_default:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
