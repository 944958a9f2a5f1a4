"""`modhost`, and `python -m modhost`."""

import gc


def main() -> None:
    """Run the command line."""
    # Imported code stays: to collect garbage among it takes a fifth of the start.
    gc.disable()
    from modhost.cli import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
